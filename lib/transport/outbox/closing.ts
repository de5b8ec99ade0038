import type { ClosableSocket } from '../../runtime/close-or-cut.js';
import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** Milliseconds in which something has to leave for a peer that is being closed, or to come from it. */
const PATIENCE = 30_000;

/** Milliseconds after which ws cuts a socket that is being closed, whatever it does meanwhile. */
export const LONGEST_CLOSING = 600_000;

/** Milliseconds that a close waits for what is on its way through the steps: as long as ws waits for the peer's. */
export const STEPS_PATIENCE = 30_000;

/** What the peer of a close without a code reads (RFC 6455, 7.1.5). */
export const NO_STATUS = 1005;

/** The outbox of a socket whose closing handshake has begun. */
interface ClosingOutbox {
  readonly ws: ClosableSocket;
  readonly sentBytes: number;
}

/**
 * Cuts a socket whose peer does not answer the close frame. ws counts from the close on, and would cut a slow link while
 * what was sent before is still on its way; this counts from the last byte that left.
 */
export function limitClosing(outbox: ClosingOutbox, runtime: Runtime): void {
  let timer: RuntimeTimer;
  const lookFrom = (before: number): void => {
    timer = runtime.fairTimeout(PATIENCE, (wasStalled) => {
      const now = outbox.sentBytes;
      if (wasStalled || now > before) lookFrom(now);
      else outbox.ws.terminate();
    });
  };
  lookFrom(outbox.sentBytes);
  outbox.ws.once('close', () => timer.cancel());
}
