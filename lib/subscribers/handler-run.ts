import type { Runtime, RuntimeTimer } from '../runtime/runtime.js';
import type { WsTraceContext } from '../tracing/trace-context.js';
import type { HandlerHost } from './handler-host.js';
import type { SubscriberRunner } from './subscriber.runner.js';
import type { Subscriber } from './subscriber.js';

/** One run of a subscriber's handler, which is the host that its utilities see. */
export class HandlerRun implements HandlerHost {
  isOver = false;

  constructor(
    private readonly runner: SubscriberRunner,
    readonly subscriber: Subscriber,
    readonly channel: string,
    /** The span that has published the event; undefined: none has. */
    readonly trace: WsTraceContext | undefined,
  ) {}

  get owner(): object {
    return this.runner;
  }

  get runtime(): Runtime {
    return this.runner.runtime;
  }

  defer(ms: number, work: (host: HandlerHost) => unknown): RuntimeTimer {
    return this.runner.defer(this, ms, work);
  }
}
