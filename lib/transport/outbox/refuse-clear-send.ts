import type { WsClient } from '../../clients/ws-client.js';
import type { ErrorReporter } from '../../errors/error-reporter.js';
import { ClearSendError } from './clear-send.error.js';

/**
 * Refuses what was sent by a client's socket itself and still waited when the client was encrypted.
 *
 * @param done the sender's callback; without one the refusal is reported
 */
export function refuseClearSend(errors: ErrorReporter, client: WsClient | null, done?: (error: Error) => void): void {
  const error = new ClearSendError();
  if (done) done(error);
  else errors.report('What was sent by a socket itself has not left.', error, client?.clientId);
}
