import { decoratedMethod } from '../../errors/decorated-method.js';
import type { WsRate } from '../rate-store.interface.js';

/** The metadata key of `@WsRateLimit`, on the method. */
export const RATE_LIMIT_METADATA = 'pxl-websocket:rate-limit';

/**
 * Limits how often each user, or each anonymous connection, may use the routes of a method. Beyond that the client is
 * answered `RATE_LIMITED` with `details.retryAfter` in ms, and neither the method nor its guards run. Workers that share a
 * Redis count a user's uses together, with one call of Redis for each use; while Redis is down each worker counts alone.
 *
 * @param rate `limit` uses, a whole number from 1, within `ttl` ms from the first of them
 * @throws RangeError for other numbers
 * @example \@WsRateLimit({ limit: 5, ttl: 10_000 })
 */
export function WsRateLimit({ limit, ttl }: WsRate): MethodDecorator {
  for (const [name, value] of Object.entries({ limit, ttl })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`@WsRateLimit: ${name} is a whole number from 1.`);
  }
  return (_target, _name, descriptor) => {
    Reflect.defineMetadata(RATE_LIMIT_METADATA, { limit, ttl }, decoratedMethod(descriptor, 'WsRateLimit'));
  };
}
