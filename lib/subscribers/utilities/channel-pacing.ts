import type { WebSocketSubscriberHandlerContext } from '../subscriber.interface.js';
import type { RuntimeTimer } from '../../runtime/runtime.js';
import { ChannelRate } from './channel-rate.js';
import { ChannelStates } from './channel-states.js';
import { HANDLER_HOST, hostOf, type HandlerHost } from '../handler-host.js';
import { checkWhole } from './utility-checks.js';

/**
 * Runs the handler for the last event of a channel, once the channel was silent for `ms`; when the application stops, at
 * once. The run is not a part of the event's: middleware and other wrappers have seen each event end before.
 *
 * @throws RangeError when `ms` is not a whole number from 1
 */
export function withDebounce<Context extends WebSocketSubscriberHandlerContext>(
  handler: (context: Context) => unknown,
  ms: number,
): (context: Context) => void {
  checkWhole('withDebounce: ms', ms, 1);
  const byOwner = new WeakMap<object, Map<string, RuntimeTimer>>();
  return (context) => {
    const host = hostOf(context);
    let timers = byOwner.get(host.owner);
    if (!timers) byOwner.set(host.owner, (timers = new Map<string, RuntimeTimer>()));
    const { channel } = context;
    timers.get(channel)?.cancel();
    const waiting = timers;
    const run = (later: HandlerHost): unknown => {
      waiting.delete(channel);
      return handler({ ...context, [HANDLER_HOST]: later });
    };
    timers.set(channel, host.defer(ms, run));
  };
}

/**
 * Runs the handler for the first event of a channel, and for none within `ms` after that.
 *
 * @throws RangeError when `ms` is not a whole number from 1
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

/**
 * Runs the handler for at most `max` events of a channel within `windowMs`, counted from the first of them; for the others
 * it runs `onLimit`.
 *
 * @throws RangeError when a number is not a whole one from 1
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
