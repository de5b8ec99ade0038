import type { WebSocketSubscriberHandlerContext } from '../../interfaces/subscriber.interface.js';
import type { RuntimeTimer } from '../../runtime/runtime.js';
import { HANDLER_HOST, hostOf, type HandlerHost } from '../handler-host.js';
import { checkWhole } from '../whole-number.js';

/**
 * Runs the handler once a channel was silent for `ms`, for the last of its events; when the application stops, at once.
 * It runs on its own then, after middleware and other wrappers have seen each event end.
 *
 * @throws RangeError when `ms` is no whole number from 1
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
