import type { CloseReason } from '../../protocol/close-codes.js';
import { closeOrCut } from '../../runtime/close-or-cut.js';
import type { Runtime } from '../../runtime/runtime.js';
import { OPEN } from '../../runtime/socket-state.js';
import type { ClientSession } from './client-session.js';

/**
 * Closes a connection whose client may do nothing more: its waiting messages are not handled, and it cannot keep the
 * socket open by not answering the close frame.
 */
export function closeForGood(session: ClientSession, reason: CloseReason, runtime: Runtime): void {
  if (session.readyState !== OPEN) return;
  session.forgetMessages();
  closeOrCut(session.ws, reason, runtime);
}
