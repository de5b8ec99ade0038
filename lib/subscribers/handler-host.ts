import { textsOf } from '../errors/as-error.js';
import { ModuleLogger } from '../errors/module-logger.js';
import type { WebSocketSubscriberHandlerContext } from './subscriber.interface.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';

/** The key of a context's host. It is an enumerable symbol, so that a spread copy of the context keeps it. */
export const HANDLER_HOST = Symbol('PXL_WS_HANDLER_HOST');

/** The application that runs a handler, as utilities and middleware see it. */
export interface HandlerHost {
  /** Identifies the application. State is kept per owner, since one definition may serve several applications of a process. */
  readonly owner: object;
  readonly runtime: Runtime;
  /** True once the run has reached its time limit, or the application stops: no further step may begin. */
  readonly isOver: boolean;
  /** Runs work after `ms`, through the subscriber's queue and within its time limit; a failure is logged. */
  defer(ms: number, work: (host: HandlerHost) => unknown): RuntimeTimer;
}

/** The host of a handler that is called directly, for example by an application's tests. */
const NO_APPLICATION: HandlerHost = {
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

/** The host of the handler that got the context. */
export function hostOf(context: WebSocketSubscriberHandlerContext): HandlerHost {
  return context[HANDLER_HOST] ?? NO_APPLICATION;
}
