import { textsOf } from '../../errors/as-error.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import type {
  WsUntypedMessage,
  WebSocketSubscriberHandlerContext,
  WebSocketSubscriberMiddleware,
} from '../subscriber.interface.js';
import { ChannelRate } from './channel-rate.js';
import { ChannelStates } from './channel-states.js';
import { hostOf } from '../handler-host.js';
import { checkMessage, checkWhole, type WsMessageCheck } from './utility-checks.js';

/** How long a channel's failures are counted after its last one, in ms. */
const FAILURES_FORGOTTEN_AFTER = 3_600_000;

/**
 * Keeps up to `maxErrors` failures of a channel in succession out of the log; further ones are logged. The count begins
 * anew when the handler succeeds, and an hour after the last failure.
 *
 * @throws RangeError when `maxErrors` is not a whole number from 1
 */
export function errorRecoveryMiddleware(maxErrors: number): WebSocketSubscriberMiddleware {
  checkWhole('errorRecoveryMiddleware: maxErrors', maxErrors, 1);
  const failures = new ChannelStates<number>(FAILURES_FORGOTTEN_AFTER);
  return {
    name: 'errorRecovery',
    onAfter: (context) => failures.delete(context),
    onError(context) {
      const errors = (failures.get(context) ?? 0) + 1;
      failures.set(context, errors);
      return errors <= maxErrors;
    },
  };
}

/** Logs when a handler begins, finishes and fails, with its channel. It never logs the message. */
export function loggingMiddleware(name: string): WebSocketSubscriberMiddleware {
  const logger = new ModuleLogger();
  return {
    name: `logging(${name})`,
    onBefore: ({ channel }) => logger.log(`${name} begins on channel ${JSON.stringify(channel)}.`, { channel }),
    onAfter: ({ channel }) => logger.log(`${name} has finished on channel ${JSON.stringify(channel)}.`, { channel }),
    onError: ({ channel }, { message }) =>
      logger.error(`${name} has failed on channel ${JSON.stringify(channel)}: ${message}`, { channel }),
  };
}

/**
 * Runs the handler for at most `max` events of a channel within `windowMs`, counted from the first of them.
 *
 * @throws RangeError when a number is not a whole one from 1
 */
export function rateLimitMiddleware(max: number, windowMs: number): WebSocketSubscriberMiddleware {
  const rate = new ChannelRate('rateLimitMiddleware', max, windowMs);
  return { name: 'rateLimit', onBefore: (context) => rate.allows(context) };
}

/** Logs how long a handler took, whether it finished or failed. */
export function timingMiddleware(): WebSocketSubscriberMiddleware {
  const logger = new ModuleLogger();
  const startedAt = new WeakMap<WebSocketSubscriberHandlerContext, number>();
  const log = (context: WebSocketSubscriberHandlerContext): void => {
    const now = hostOf(context).runtime.monotonic();
    const ms = Math.round(now - (startedAt.get(context) ?? now));
    logger.log(`A handler took ${ms} ms on channel ${JSON.stringify(context.channel)}.`, { channel: context.channel });
  };
  return {
    name: 'timing',
    onBefore: (context) => void startedAt.set(context, hostOf(context).runtime.monotonic()),
    onAfter: log,
    onError: log,
  };
}

/** Runs the handler for valid messages. An invalid one, for which `validate` throws or returns false, is logged. */
export function validationMiddleware<Message = WsUntypedMessage>(
  validate: WsMessageCheck<Message>,
): WebSocketSubscriberMiddleware<Message> {
  const logger = new ModuleLogger();
  return {
    name: 'validation',
    async onBefore(context) {
      try {
        await checkMessage(validate, context);
        return true;
      } catch (error) {
        logger.warn(`A message on channel ${JSON.stringify(context.channel)} is not valid: ${textsOf(error).message}`, {
          channel: context.channel,
          code: 'VALIDATION_FAILED',
        });
        return false;
      }
    },
  };
}
