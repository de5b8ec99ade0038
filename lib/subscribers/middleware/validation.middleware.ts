import { textsOf } from '../../errors/as-error.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import type { UntypedMessage, WebSocketSubscriberMiddleware } from '../../interfaces/subscriber.interface.js';
import { checkMessage, type MessageCheck } from '../message-check.js';

/** Runs the handler for valid messages only: `validate` throws for the others, or answers false; they are logged. */
export function validationMiddleware<Message = UntypedMessage>(
  validate: MessageCheck<Message>,
): WebSocketSubscriberMiddleware<Message> {
  const logger = new ModuleLogger();
  return {
    name: 'validation',
    async onBefore(context) {
      try {
        await checkMessage(validate, context);
        return true;
      } catch (error) {
        logger.warn(`A message on channel ${JSON.stringify(context.channel)} is not valid: ${textsOf(error).message}`);
        return false;
      }
    },
  };
}
