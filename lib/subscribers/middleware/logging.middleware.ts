import { ModuleLogger } from '../../errors/module-logger.js';
import type { WebSocketSubscriberMiddleware } from '../../interfaces/subscriber.interface.js';

/** Logs when a handler begins, finishes and fails, with its channel; never the message. */
export function loggingMiddleware(name: string): WebSocketSubscriberMiddleware {
  const logger = new ModuleLogger();
  return {
    name: `logging(${name})`,
    onBefore: ({ channel }) => logger.log(`${name} begins on channel ${JSON.stringify(channel)}.`),
    onAfter: ({ channel }) => logger.log(`${name} has finished on channel ${JSON.stringify(channel)}.`),
    onError: ({ channel }, { message }) =>
      logger.error(`${name} has failed on channel ${JSON.stringify(channel)}: ${message}`),
  };
}
