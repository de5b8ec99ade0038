import type { WebSocket } from 'ws';
import type { WsUser } from '../ws-client/client-entry.js';

/** An open socket of some other ws server, and who is behind it. */
export interface AdoptedSocket {
  readonly clientId: string;
  readonly ws: WebSocket;
  readonly user: WsUser | null;
  /** In ms since 1970; now by default. */
  readonly lastActivity: number | undefined;
}

/** Takes an open socket on as a client like any other: welcomed, its messages routed, its end noticed. */
export interface SocketAdopter {
  adopt(socket: AdoptedSocket): void;
}
