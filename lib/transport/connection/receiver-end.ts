import { Writable } from 'node:stream';
import type { WebSocket } from 'ws';

/**
 * Has what reads the frames of a socket end once. ws ends it at the end of the peer's bytes, and again when the stream is
 * closed: then Node makes an error with its stack, which nobody gets. That took 7 % of what it costs to accept and to end a
 * connection.
 */
export function endReceiverOnce(ws: WebSocket & { readonly _receiver?: { end: unknown } | null }): void {
  if (ws._receiver instanceof Writable) ws._receiver.end = endOnce as Writable['end'];
}

function endOnce(this: Writable, ...args: Parameters<Writable['end']>): Writable {
  return this.writableFinished ? this : Writable.prototype.end.apply(this, args);
}
