import type { Runtime } from '../../runtime/runtime.js';
import type { OutboundPassage } from '../outbox/outbound-passage.js';

/** Milliseconds that a close waits for what is on its way through the steps: as long as ws waits for the peer's. */
const LAST_FRAMES = 30_000;

/** What the peer of a close without a code reads (RFC 6455, 7.1.5). */
export const NO_STATUS = 1005;

/** Closes a socket once all that was sent before has passed, or has taken too long. */
export function closeAfterPending(
  socket: { terminate(): void },
  passage: OutboundPassage,
  runtime: Runtime | undefined,
  close: () => void,
): void {
  const end = (): void => {
    timer?.cancel();
    try {
      close();
    } catch {
      socket.terminate(); // a code that ws does not send; its caller is not there any more
    }
  };
  const timer = runtime?.timeout(LAST_FRAMES, end);
  passage.after(end);
}
