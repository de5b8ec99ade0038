import { AsyncResource } from 'node:async_hooks';
import { Inject, Injectable } from '@nestjs/common';
import { spanOf } from '../cluster/bus/envelope-spans.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { isThenable } from '../runtime/thenable.js';
import { NEUTRAL_SCOPE } from '../runtime/neutral-scope.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';
import { Tracing } from '../tracing/tracing.js';
import type { HandlerHost } from './handler-host.js';
import { HandlerRun } from './handler-run.js';
import type { Finish } from './subscriber-queue.js';
import { inContext, nextRequestId, type WsRequestContext } from '../runtime/request-context.js';
import { WorkerIdentity } from '../runtime/worker-identity.js';

/** Work that begins after a delay, for example of a debounced handler. */
interface Deferral extends RuntimeTimer {
  begin(): void;
}

/** Runs each handler in an async scope of its own and within `timeouts.subscriber`, and reports its failure. */
@Injectable()
export class SubscriberRunner {
  readonly #deferred = new Set<Deferral>();
  readonly #running = new Set<HandlerRun>();
  #hasGivenUp = false;

  constructor(
    readonly runtime: Runtime,
    private readonly errors: ErrorReporter,
    private readonly identity: WorkerIdentity,
    private readonly tracing: Tracing,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Runs the work of a handler. Never throws or rejects. */
  run(run: HandlerRun, work: () => unknown): Finish {
    if (this.#hasGivenUp) return null;
    const scope = new AsyncResource('WsSubscriber', { requireManualDestroy: true });
    try {
      const inside = this.tracing.isOn ? (): unknown => this.#inSpan(run, work) : work;
      const result = scope.runInAsyncScope(() => inContext(this.#contextOf(run), inside));
      return isThenable(result) ? this.#settle(run, result) : null;
    } catch (error) {
      this.#report(run, error);
      return null;
    }
  }

  /** Puts further work into the subscriber's queue after `ms`. */
  defer({ subscriber, channel, trace }: HandlerRun, ms: number, work: (host: HandlerHost) => unknown): RuntimeTimer {
    const later = new HandlerRun(this, subscriber, channel, trace);
    const begin = (): void => {
      deferral.cancel();
      void subscriber.queue.push(() => this.run(later, () => work(later)));
    };
    // The handler's async scope must not reach the deferred work.
    const timer = NEUTRAL_SCOPE.runInAsyncScope(() => this.runtime.timeout(ms, begin));
    const deferral: Deferral = {
      begin,
      cancel: () => {
        timer.cancel();
        this.#deferred.delete(deferral);
      },
    };
    this.#deferred.add(deferral);
    return deferral;
  }

  /** Begins all deferred work at once; returns false when there was none. */
  hurry(): boolean {
    const deferred = [...this.#deferred];
    for (const deferral of deferred) deferral.begin();
    return deferred.length > 0;
  }

  /** Stops: queued and deferred work does not begin any more, and running handlers begin no further step. */
  giveUp(): void {
    this.#hasGivenUp = true;
    for (const run of this.#running) run.isOver = true;
  }

  /** In the trace of what has published the event, or in one of its own. */
  #inSpan({ subscriber, channel, trace }: HandlerRun, work: () => unknown): unknown {
    const { start } = spanOf('process', { kind: 'subscribers', channel }, trace ?? null);
    return this.tracing.within(`process ${subscriber.definition.name}`, start, work);
  }

  async #settle(run: HandlerRun, result: PromiseLike<unknown>): Promise<void> {
    const limit = this.options.timeouts.subscriber;
    const late = (): Error => {
      run.isOver = true;
      return new Error(`It took longer than timeouts.subscriber (${limit} ms).`);
    };
    const report = (error: unknown): void => this.#report(run, error);
    this.#running.add(run);
    try {
      await this.runtime.within(limit, Promise.resolve(result), late, report).catch(report);
    } finally {
      this.#running.delete(run);
    }
  }

  #contextOf({ channel }: HandlerRun): WsRequestContext | undefined {
    if (!this.options.requestContext) return undefined;
    return { requestId: nextRequestId(this.identity.workerId), channel };
  }

  #report({ subscriber, channel }: HandlerRun, error: unknown): void {
    this.errors.report(`The subscriber ${subscriber.label} failed on channel ${JSON.stringify(channel)}.`, error, {
      channel,
    });
  }
}
