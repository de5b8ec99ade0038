/** Which end of a connection something is, as PXL calls it: the `type` of servers and clients. */
export type WebSocketType = 'server' | 'client';
