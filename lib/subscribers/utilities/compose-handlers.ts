import type { WebSocketSubscriberHandlerContext } from '../../interfaces/subscriber.interface.js';
import { hostOf } from '../handler-host.js';

/** Runs the handlers in order, each once the one before has finished. The first failure is that of all: it ends the row. */
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
