import type { WebSocketSubscriberHandlerContext } from '../../interfaces/subscriber.interface.js';

/** Runs the handler where the predicate says true. */
export function withFilter<Context extends WebSocketSubscriberHandlerContext, Result>(
  predicate: (context: Context) => boolean | Promise<boolean>,
  handler: (context: Context) => Result | Promise<Result>,
): (context: Context) => Promise<Result | undefined> {
  return async (context) => ((await predicate(context)) ? await handler(context) : undefined);
}
