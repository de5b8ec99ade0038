import { textsOf } from '../errors/as-error.js';
import { ModuleLogger } from '../errors/module-logger.js';
import type { WebSocketSubscriberHandlerContext } from '../interfaces/subscriber.interface.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';

/** Where a context keeps its host: a symbol, so that a spread copy of the context keeps it too. */
export const HANDLER_HOST = Symbol('PXL_WS_HANDLER_HOST');

/** What utilities and middleware reach of the application that runs a handler. */
export interface HandlerHost {
  /** What is remembered belongs to one application: a definition may serve several of one process. */
  readonly owner: object;
  readonly runtime: Runtime;
  /** Whether the time of this run is up, or that of the application: nothing more is to begin. */
  readonly isOver: boolean;
  /** Runs something later, in the subscriber's turn and within its time limit; a failure is logged. */
  defer(ms: number, work: (host: HandlerHost) => unknown): RuntimeTimer;
}

/** For a handler that is called by hand, as in the tests of an application. */
const NOBODY: HandlerHost = {
  owner: {},
  runtime: new Runtime(),
  isOver: false,
  defer(ms, work) {
    const run = async (): Promise<void> => {
      try {
        await work(this);
      } catch (error) {
        new ModuleLogger().error(`A deferred handler failed. ${textsOf(error).message}`);
      }
    };
    return this.runtime.timeout(ms, () => void run());
  },
};

/** Who runs the handler that got the context. */
export function hostOf(context: WebSocketSubscriberHandlerContext): HandlerHost {
  return context[HANDLER_HOST] ?? NOBODY;
}
