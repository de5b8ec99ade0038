import type { WebSocketSubscriberHandlerContext } from '../../interfaces/subscriber.interface.js';
import { ChannelRate } from '../channel-rate.js';

/**
 * Runs the handler for at most `max` events of a channel within `windowMs`, counted from the first of them; for the others
 * it runs `onLimit`.
 *
 * @throws RangeError for numbers that are no whole ones from 1
 */
export function withRateLimit<Context extends WebSocketSubscriberHandlerContext, Result>(
  handler: (context: Context) => Result | Promise<Result>,
  max: number,
  windowMs: number,
  onLimit?: (context: Context) => unknown,
): (context: Context) => Promise<Result | undefined> {
  const rate = new ChannelRate('withRateLimit', max, windowMs);
  return async (context) => {
    if (rate.allows(context)) return handler(context);
    await onLimit?.(context);
    return undefined;
  };
}
