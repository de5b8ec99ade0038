import type { CloseReason } from '../protocol/close-codes.js';
import type { Runtime } from './runtime.js';

/** Milliseconds that a peer has to answer the close frame before its socket is cut. */
export const CUT_AFTER = 1_000;

/** What can be closed politely or at once. */
export interface ClosableSocket {
  close(code: number, reason: string): void;
  terminate(): void;
  once(event: 'close', listener: () => void): unknown;
}

/** Closes a socket, and cuts it a second later: its peer cannot keep it by leaving the close frame unanswered. */
export function closeOrCut(socket: ClosableSocket, { code, reason }: CloseReason, runtime: Runtime): void {
  socket.close(code, reason);
  const cut = runtime.timeout(CUT_AFTER, () => socket.terminate());
  socket.once('close', () => cut.cancel());
}
