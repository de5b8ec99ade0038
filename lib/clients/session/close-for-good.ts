import type { WsClient } from '../ws-client.js';
import type { CloseReason } from '../../protocol/close-codes.js';
import type { Runtime } from '../../runtime/runtime.js';

/** How long a client has to answer the close frame before its socket is cut. */
const LAST_WORDS = 1_000;

/**
 * Closes a client that may do nothing more: what waits of its messages is not handled, and it cannot keep the socket by
 * leaving the close frame unanswered.
 */
export function closeForGood(client: WsClient, { code, reason }: CloseReason, runtime: Runtime): void {
  if (client.readyState !== 1) return;
  client.forgetMessages();
  client.ws.close(code, reason);
  runtime.timeout(LAST_WORDS, () => client.ws.terminate());
}
