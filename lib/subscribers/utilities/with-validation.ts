import type { WebSocketSubscriberHandlerContext } from '../../interfaces/subscriber.interface.js';
import { checkMessage, type MessageCheck } from '../message-check.js';

/**
 * Runs the handler for valid messages only: `validate` throws for the others, or answers false. That is the handler's
 * failure then.
 */
export function withValidation<Context extends WebSocketSubscriberHandlerContext, Result>(
  validate: MessageCheck<Context['message']>,
  handler: (context: Context) => Result | Promise<Result>,
): (context: Context) => Promise<Result> {
  return async (context) => {
    await checkMessage(validate, context);
    return await handler(context);
  };
}
