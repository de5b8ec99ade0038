import type {
  WebSocketSubscriberHandlerContext,
  WebSocketSubscriberMiddleware,
} from '../../interfaces/subscriber.interface.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import { hostOf } from '../handler-host.js';

/** Logs how long a handler took, whether it finished or failed. */
export function timingMiddleware(): WebSocketSubscriberMiddleware {
  const logger = new ModuleLogger();
  const startedAt = new WeakMap<WebSocketSubscriberHandlerContext, number>();
  const log = (context: WebSocketSubscriberHandlerContext): void => {
    const now = hostOf(context).runtime.monotonic();
    const ms = Math.round(now - (startedAt.get(context) ?? now));
    logger.log(`A handler took ${ms} ms on channel ${JSON.stringify(context.channel)}.`);
  };
  return {
    name: 'timing',
    onBefore: (context) => void startedAt.set(context, hostOf(context).runtime.monotonic()),
    onAfter: log,
    onError: log,
  };
}
