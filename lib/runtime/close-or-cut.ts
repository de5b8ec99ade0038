import type { CloseReason } from '../protocol/close-codes.js';
import type { Runtime } from './runtime.js';

/** Milliseconds that a peer has to answer the close frame before its socket is cut. */
export const CUT_AFTER = 1_000;

/** A socket that can be closed with a close frame, or cut at once. */
export interface ClosableSocket {
  close(code: number, reason: string): void;
  terminate(): void;
  once(event: 'close', listener: () => void): unknown;
}

/** Closes a socket, and cuts it a second later, so that a peer cannot keep it open by not answering the close frame. */
export function closeOrCut(socket: ClosableSocket, { code, reason }: CloseReason, runtime: Runtime): void {
  socket.close(code, reason);
  const cut = runtime.timeout(CUT_AFTER, () => socket.terminate());
  socket.once('close', () => cut.cancel());
}
