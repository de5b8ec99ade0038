import type { CloseReason } from '../../protocol/close-codes.js';
import { closeOrCut } from '../../runtime/close-or-cut.js';
import type { Runtime } from '../../runtime/runtime.js';
import { OPEN } from '../../runtime/socket-state.js';
import type { WsClient } from '../ws-client.js';

/**
 * Closes a client that may do nothing more: what waits of its messages is not handled, and it cannot keep the socket by
 * leaving the close frame unanswered.
 */
export function closeForGood(client: WsClient, reason: CloseReason, runtime: Runtime): void {
  if (client.readyState !== OPEN) return;
  client.forgetMessages();
  closeOrCut(client.ws, reason, runtime);
}
