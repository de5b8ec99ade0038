import { textsOf } from '../../errors/as-error.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import type { WebSocketSubscriberHandlerContext } from '../../interfaces/subscriber.interface.js';
import { hostOf } from '../handler-host.js';

/** Logs each run of the handler with its channel, how long it took and what it failed with; never the message. */
export function withLogging<Context extends WebSocketSubscriberHandlerContext, Result>(
  handler: (context: Context) => Result | Promise<Result>,
  name: string,
): (context: Context) => Promise<Result> {
  const logger = new ModuleLogger();
  return async (context) => {
    const { runtime } = hostOf(context);
    const startedAt = runtime.monotonic();
    const log = (outcome: string): string =>
      `${name} ${outcome} on channel ${JSON.stringify(context.channel)} after ${Math.round(runtime.monotonic() - startedAt)} ms`;
    try {
      const result = await handler(context);
      logger.log(`${log('finished')}.`);
      return result;
    } catch (error) {
      logger.error(`${log('failed')}: ${textsOf(error).message}`);
      throw error;
    }
  };
}
