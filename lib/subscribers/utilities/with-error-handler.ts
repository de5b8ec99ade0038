import { asError } from '../../errors/as-error.js';
import type { WebSocketSubscriberHandlerContext } from '../../interfaces/subscriber.interface.js';

/** What the handler throws goes to `onError` and is settled then; what that throws is the handler's failure. */
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
