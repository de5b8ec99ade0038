import type { WebSocketSubscriberMiddleware } from '../../interfaces/subscriber.interface.js';
import { ChannelStates } from '../channel-states.js';
import { checkWhole } from '../whole-number.js';

/** How long after its last failure a channel's row of failures is forgotten. */
const MEMORY = 3_600_000;

/**
 * Keeps up to `maxErrors` failures in a row on a channel out of the log; further ones are logged. The row ends when the
 * handler succeeds, and an hour after the last failure.
 *
 * @throws RangeError when `maxErrors` is no whole number from 1
 */
export function errorRecoveryMiddleware(maxErrors: number): WebSocketSubscriberMiddleware {
  checkWhole('errorRecoveryMiddleware: maxErrors', maxErrors, 1);
  const rows = new ChannelStates<number>(MEMORY);
  return {
    name: 'errorRecovery',
    onAfter: (context) => rows.delete(context),
    onError(context) {
      const errors = (rows.get(context) ?? 0) + 1;
      rows.set(context, errors);
      return errors <= maxErrors;
    },
  };
}
