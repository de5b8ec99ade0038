import { Inject, Injectable } from '@nestjs/common';
import { ClusterEvents, type ClusterEvent } from '../cluster/events/cluster-events.js';
import { ModuleLogger } from '../errors/module-logger.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { gauge, type MetricSource, type WebSocketMetric } from '../runtime/metrics/metrics.js';
import { NEUTRAL_SCOPE } from '../runtime/neutral-scope.js';
import { Runtime } from '../runtime/runtime.js';
import { HandlerContexts } from './handler-contexts.js';
import { HandlerRun } from './handler-run.js';
import type { Subscriber } from './subscriber.js';
import type { Finish } from './subscriber-queue.js';
import { SubscriberRegistry } from './subscriber.registry.js';
import { SubscriberRunner } from './subscriber.runner.js';

/** How many events are dispatched in one batch. */
const BATCH = 256;
/** How many events may wait to be dispatched. Above it they are dropped, since memory is at stake. */
const MAX_ARRIVED = 1_000_000;

/**
 * Dispatches events to subscribers. The subscribers of an event run one after the other, by priority; each subscriber gets
 * its events in order, one at a time. Two events that share no subscriber do not wait for each other. A handler that hangs
 * delays those behind it until its time limit.
 */
@Injectable()
export class SubscriberDispatcher implements MetricSource {
  readonly #logger = new ModuleLogger();
  readonly #arrived: ClusterEvent[] = [];
  #isListening = false;
  #isScheduled = false;
  #isFlooded = false;
  #stopped: Promise<void> | null = null;

  constructor(
    private readonly registry: SubscriberRegistry,
    private readonly runner: SubscriberRunner,
    private readonly events: ClusterEvents,
    private readonly counters: RefusalCounters,
    private readonly runtime: Runtime,
    private readonly contexts: HandlerContexts,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Starts listening; resolves once every channel that a subscriber needs is subscribed to. */
  async start(): Promise<void> {
    if (this.registry.all.length === 0) return;
    this.#isListening = true;
    this.events.listen(this.#hear, (channel) => this.registry.candidates(channel).length > 0);
    const { channels } = this.registry;
    if (channels === 'all') await this.events.acquireAll();
    else await Promise.all(channels.flatMap((channel) => this.events.acquire(channel) ?? []));
  }

  *metrics(): Iterable<WebSocketMetric> {
    const queued = this.registry.all.reduce((sum, { queue }) => sum + queue.waiting, 0);
    yield gauge('subscriber_events_waiting', this.#arrived.length + queued);
  }

  /** Stops listening; resolves once all events that have arrived are handled, and after `ms` at the latest. */
  stop(ms: number): Promise<void> {
    return (this.#stopped ??= this.#stop(ms));
  }

  readonly #hear = (event: ClusterEvent): void => {
    if (!this.#isListening || this.registry.candidates(event.channel).length === 0) return;
    if (this.#isFull()) return;
    this.#arrived.push(event);
    this.#schedule();
  };

  /** Handlers run in a later turn, so that they do not interrupt the code that caused the event, and in no async scope. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    NEUTRAL_SCOPE.runInAsyncScope(() => this.runtime.afterIo(this.#dispatchArrived));
  }

  readonly #dispatchArrived = (): void => {
    // Events above the limit are dispatched in this turn too: a burst of one turn does not mean that subscribers are slow.
    const excess = this.#limit === false ? 0 : this.#arrived.length - this.#limit;
    this.#dispatchBatches(excess);
  };

  #dispatchBatches(excess: number): void {
    const left = excess - this.#dispatchBatch();
    if (left > 0) {
      // Promises that resolve in this turn settle first, so that quick handlers do not count as slow.
      queueMicrotask(() => process.nextTick(() => this.#dispatchBatches(left)));
      return;
    }
    this.#isScheduled = false;
    if (this.#arrived.length > 0) this.#schedule();
    else this.#isFlooded = false;
  }

  /** @returns how many events it dispatched */
  #dispatchBatch(): number {
    const batch = this.#arrived.splice(0, Math.min(BATCH, this.#limit || BATCH));
    for (const event of batch) this.#dispatch(event);
    return batch.length;
  }

  get #limit(): number | false {
    return this.options.limits.subscriberQueue;
  }

  /** Whether too many events wait, for example because handlers cause more events than they handle. */
  #isFull(): boolean {
    if (this.#limit === false || this.#arrived.length < Math.max(MAX_ARRIVED, this.#limit)) return false;
    this.counters.count('subscriberQueue');
    if (!this.#isFlooded) this.#logger.warn('Events come faster than they can be dispatched: they are dropped.');
    this.#isFlooded = true;
    return true;
  }

  #dispatch(event: ClusterEvent): void {
    let before: Finish = null;
    for (const subscriber of this.registry.candidates(event.channel)) {
      if (subscriber.definition.run === 'oneWorker' && !event.isResponsible) continue;
      const run = new HandlerRun(this.runner, subscriber, event.channel, event.trace);
      const context = this.contexts.of(event, run);
      if (!subscriber.matcher.matches(context) || this.#isBehind(subscriber, event.channel)) continue;
      const work = (): Finish => this.runner.run(run, () => subscriber.handle(context));
      before = subscriber.queue.push(work, before);
    }
  }

  #isBehind(subscriber: Subscriber, channel: string): boolean {
    const limit = this.#limit;
    const { waiting } = subscriber.queue;
    if (waiting === 0) subscriber.isBehind = false;
    if (limit === false || waiting < limit) return false;
    this.counters.count('subscriberQueue');
    if (!subscriber.isBehind) {
      this.#logger.warn(`The subscriber ${subscriber.label} is too slow: events are dropped for it.`, { channel });
    }
    subscriber.isBehind = true;
    return true;
  }

  async #stop(ms: number): Promise<void> {
    this.#isListening = false;
    try {
      await this.runtime.waitFor(ms, this.#finish(), () => new Error('late'));
    } catch {
      const names = this.registry.all.filter(({ queue }) => queue.finish !== null).map(({ label }) => label);
      this.#logger.warn(`Subscribers had not finished when the application stopped: ${names.join(', ')}.`);
    } finally {
      this.runner.giveUp();
    }
  }

  async #finish(): Promise<void> {
    while (this.#arrived.length > 0) {
      this.#dispatchBatch();
      await new Promise<void>((resolve) => this.runtime.afterIo(resolve));
    }
    for (;;) {
      const running = this.registry.all.flatMap(({ queue }) => queue.finish ?? []);
      if (running.length > 0) await Promise.all(running);
      else if (!this.runner.hurry()) return;
    }
  }
}
