import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** Milliseconds in which something has to leave for a peer that is being closed, or to come from it. */
const PATIENCE = 30_000;

/** Milliseconds after which ws cuts a socket that is being closed, whatever it does meanwhile. */
export const LONGEST_CLOSING = 600_000;

interface ClosingSocket {
  readonly sentBytes: number;
  once(event: 'close', listener: () => void): unknown;
  terminate(): void;
}

/**
 * Cuts a socket whose peer does not answer the close frame. Ws itself counts from the close on, and would cut a slow link
 * while what was sent before is still on its way; here it counts from the last byte that left.
 */
export function limitClosing(socket: ClosingSocket, runtime: Runtime): void {
  let timer: RuntimeTimer;
  const lookFrom = (before: number): void => {
    timer = runtime.fairTimeout(PATIENCE, (wasStalled) => {
      const now = socket.sentBytes;
      if (wasStalled || now > before) lookFrom(now);
      else socket.terminate();
    });
  };
  lookFrom(socket.sentBytes);
  socket.once('close', () => timer.cancel());
}
