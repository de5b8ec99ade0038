import type { WebSocketSubscriberHandlerContext } from '../../interfaces/subscriber.interface.js';
import { ChannelStates } from '../channel-states.js';
import { checkWhole } from '../whole-number.js';

/**
 * Runs the handler for the first event of a channel, and for none that comes within `ms` after that.
 *
 * @throws RangeError when `ms` is no whole number from 1
 */
export function withThrottle<Context extends WebSocketSubscriberHandlerContext, Result>(
  handler: (context: Context) => Result | Promise<Result>,
  ms: number,
): (context: Context) => Promise<Result | undefined> {
  checkWhole('withThrottle: ms', ms, 1);
  const pauses = new ChannelStates<true>(ms);
  return async (context) => {
    if (pauses.get(context)) return undefined;
    pauses.set(context, true);
    return await handler(context);
  };
}
