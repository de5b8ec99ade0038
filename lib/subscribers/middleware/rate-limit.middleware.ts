import type { WebSocketSubscriberMiddleware } from '../../interfaces/subscriber.interface.js';
import { ChannelRate } from '../channel-rate.js';

/**
 * Runs the handler for at most `max` events of a channel within `windowMs`, counted from the first of them.
 *
 * @throws RangeError for numbers that are no whole ones from 1
 */
export function rateLimitMiddleware(max: number, windowMs: number): WebSocketSubscriberMiddleware {
  const rate = new ChannelRate('rateLimitMiddleware', max, windowMs);
  return { name: 'rateLimit', onBefore: (context) => rate.allows(context) };
}
