import { asError, textsOf } from '../../errors/as-error.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import type { WsUntypedMessage, WebSocketSubscriberHandlerContext } from '../subscriber.interface.js';
import { hostOf } from '../handler-host.js';
import { checkMessage, checkWhole, LONGEST_TIMER, type WsMessageCheck } from './utility-checks.js';

/** Runs the handlers in order, each after the one before has finished. The first failure ends the series and is its failure. */
export function composeHandlers<Context extends WebSocketSubscriberHandlerContext>(
  handlers: readonly ((context: Context) => unknown)[],
): (context: Context) => Promise<void> {
  return async (context) => {
    const host = hostOf(context);
    for (const handler of handlers) {
      if (host.isOver) return;
      await handler(context);
    }
  };
}

/** Calls `onError` with what the handler throws, which is then no failure. What `onError` throws is the handler's failure. */
export function withErrorHandler<Context extends WebSocketSubscriberHandlerContext, Result>(
  handler: (context: Context) => Result | Promise<Result>,
  onError: (error: Error, context: Context) => unknown,
): (context: Context) => Promise<Result | undefined> {
  return async (context) => {
    try {
      return await handler(context);
    } catch (error) {
      await onError(asError(error), context);
      return undefined;
    }
  };
}

/** Runs the handler for events that the predicate accepts. */
export function withFilter<Context extends WebSocketSubscriberHandlerContext, Result>(
  predicate: (context: Context) => boolean | Promise<boolean>,
  handler: (context: Context) => Result | Promise<Result>,
): (context: Context) => Promise<Result | undefined> {
  return async (context) => ((await predicate(context)) ? await handler(context) : undefined);
}

/** Logs each run of the handler: its channel, its duration, and its failure if there is one. It never logs the message. */
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
      logger.log(`${log('finished')}.`, { channel: context.channel });
      return result;
    } catch (error) {
      logger.error(`${log('failed')}: ${textsOf(error).message}`, { channel: context.channel });
      throw error;
    }
  };
}

/** Puts `metadata` into the handler's context. */
export function withMetadata<Message = WsUntypedMessage, Metadata = unknown, Result = unknown>(
  metadata: Metadata,
  handler: (context: WebSocketSubscriberHandlerContext<Message> & { readonly metadata: Metadata }) => Result,
): (context: WebSocketSubscriberHandlerContext<Message>) => Result {
  return (context) => handler({ ...context, metadata });
}

/**
 * Runs the handler again when it fails, at most `retries` times; the last failure is the result then. All tries share the
 * subscriber's time limit: none begins after it.
 *
 * @param retries how often the handler is run again after its first failure
 * @param delayMs how long the first retry waits, in ms
 * @param backoff the factor by which each further wait is longer than the one before; default 1
 * @throws RangeError when a number is negative or not whole, and for a backoff below 1
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
        const wait = Math.min(delayMs * backoff ** retry, LONGEST_TIMER);
        await new Promise<void>((resolve) => host.runtime.timeout(wait, resolve));
        if (host.isOver) throw error;
      }
    }
  };
}

/** Runs the handler for valid messages. An invalid one, for which `validate` throws or returns false, is its failure. */
export function withValidation<Context extends WebSocketSubscriberHandlerContext, Result>(
  validate: WsMessageCheck<Context['message']>,
  handler: (context: Context) => Result | Promise<Result>,
): (context: Context) => Promise<Result> {
  return async (context) => {
    await checkMessage(validate, context);
    return await handler(context);
  };
}
