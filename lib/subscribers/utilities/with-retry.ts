import type { WebSocketSubscriberHandlerContext } from '../../interfaces/subscriber.interface.js';
import { hostOf } from '../handler-host.js';
import { checkWhole, MOST } from '../whole-number.js';

/**
 * Runs the handler again when it fails, until it does not or `retries` are used up; then its last failure is the result.
 * All tries share the subscriber's time limit: none begins after it.
 *
 * @param retries how often after the first try
 * @param delayMs the wait before the first retry
 * @param backoff each further wait is so many times as long
 * @throws RangeError for a negative or fractional number, and a backoff below 1
 */
export function withRetry<Context extends WebSocketSubscriberHandlerContext, Result>(
  handler: (context: Context) => Result | Promise<Result>,
  retries: number,
  delayMs: number,
  backoff = 1,
): (context: Context) => Promise<Result> {
  checkWhole('withRetry: retries', retries, 0);
  checkWhole('withRetry: delayMs', delayMs, 0);
  if (!(backoff >= 1 && Number.isFinite(backoff))) throw new RangeError('withRetry: backoff is a number from 1.');
  return async (context) => {
    const host = hostOf(context);
    for (let retry = 0; ; retry++) {
      try {
        return await handler(context);
      } catch (error) {
        if (retry >= retries) throw error;
        await new Promise<void>((resolve) => host.runtime.timeout(Math.min(delayMs * backoff ** retry, MOST), resolve));
        if (host.isOver) throw error;
      }
    }
  };
}
