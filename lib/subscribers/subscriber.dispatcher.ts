import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';
import { ClusterEvents, type ClusterEvent } from '../cluster/events/cluster-events.js';
import { ModuleLogger } from '../errors/module-logger.js';
import type { WebSocketSubscriberHandlerContext } from '../interfaces/subscriber.interface.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { RedisClient } from '../redis/link/redis-client.js';
import { NEUTRAL_SCOPE } from '../runtime/neutral-scope.js';
import { Runtime } from '../runtime/runtime.js';
import type { PxlWebSocketServer } from '../server/facade/pxl-websocket-server.js';
import { HANDLER_HOST } from './handler-host.js';
import { HandlerRun } from './handler-run.js';
import type { Subscriber } from './subscriber.js';
import type { Finish } from './subscriber-queue.js';
import { SubscriberRegistry } from './subscriber.registry.js';
import { SubscriberRunner } from './subscriber.runner.js';

/** How many events are handed out at once. */
const BATCH = 256;
/** How many events may have come that were not handed out yet, however few may wait for a subscriber. */
const MOST = 1_000_000;

/**
 * Hands events to subscribers. Of one event they run by priority, one after the other; each subscriber gets its events in
 * the order in which they came, one at a time. Events of which no subscriber is common do not wait for each other; one that
 * hangs holds up those behind it, for its time limit at each event.
 */
@Injectable()
export class SubscriberDispatcher {
  readonly #logger = new ModuleLogger();
  readonly #arrived: ClusterEvent[] = [];
  #server: PxlWebSocketServer | null = null;
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
    private readonly moduleRef: ModuleRef,
    @Inject(PXL_WS_REDIS) private readonly redis: RedisClient | null,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Begins to listen; resolves once every channel that a subscriber wants is heard.
   *
   * @param server what handlers get, or its view of this worker
   */
  async start(server: PxlWebSocketServer): Promise<void> {
    if (this.registry.all.length === 0) return;
    this.#server = server;
    this.#isListening = true;
    this.events.listen(this.#hear);
    const { channels } = this.registry;
    if (channels === 'all') await this.events.acquireAll();
    else await Promise.all(channels.flatMap((channel) => this.events.acquire(channel) ?? []));
  }

  /** Takes no more events; resolves once all that have come are handled, and after `ms` at the latest. */
  stop(ms: number): Promise<void> {
    return (this.#stopped ??= this.#stop(ms));
  }

  readonly #hear = (event: ClusterEvent): void => {
    if (!this.#isListening || this.registry.candidates(event.channel).length === 0) return;
    if (this.#isFull()) return;
    this.#arrived.push(event);
    this.#schedule();
  };

  /** Handlers run in a turn of their own, not amidst of what has caused the event, and in nobody's async scope. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    NEUTRAL_SCOPE.runInAsyncScope(() => this.runtime.afterIo(this.#handOut));
  }

  readonly #handOut = (): void => {
    // What a turn brings is handed on before it is judged who is too slow. Above the limit that takes more than a batch.
    const excess = this.#limit === false ? 0 : this.#arrived.length - this.#limit;
    this.#handOutBatches(excess);
  };

  #handOutBatches(excess: number): void {
    const left = excess - this.#handOutBatch();
    if (left > 0) {
      // Once all has settled that settles in this turn, so that those who are quick are not taken for slow.
      queueMicrotask(() => process.nextTick(() => this.#handOutBatches(left)));
      return;
    }
    this.#isScheduled = false;
    if (this.#arrived.length > 0) this.#schedule();
    else this.#isFlooded = false;
  }

  /** @returns how many there were */
  #handOutBatch(): number {
    const batch = this.#arrived.splice(0, Math.min(BATCH, this.#limit || BATCH));
    for (const event of batch) this.#dispatch(event);
    return batch.length;
  }

  get #limit(): number | false {
    return this.options.limits.subscriberQueue;
  }

  /** Whether memory is at stake: handlers cause more events than they handle, for example. */
  #isFull(): boolean {
    if (this.#limit === false || this.#arrived.length < Math.max(MOST, this.#limit)) return false;
    this.counters.count('subscriberQueue');
    if (!this.#isFlooded) this.#logger.warn('Events come faster than they can be handed out: they are dropped.');
    this.#isFlooded = true;
    return true;
  }

  #dispatch(event: ClusterEvent): void {
    const server = this.#server;
    if (!server) return; // nobody listens before there is one
    let before: Finish = null;
    for (const subscriber of this.registry.candidates(event.channel)) {
      if (subscriber.definition.run === 'oneWorker' && !event.isResponsible) continue;
      const run = new HandlerRun(this.runner, subscriber, event.channel);
      const context = this.#contextOf(event, run, server);
      if (!subscriber.matcher.matches(context) || this.#isBehind(subscriber)) continue;
      const work = (): Finish => this.runner.run(run, () => subscriber.handle(context));
      before = subscriber.queue.push(work, before);
    }
  }

  #contextOf(event: ClusterEvent, run: HandlerRun, server: PxlWebSocketServer): WebSocketSubscriberHandlerContext {
    const { channel, message } = event;
    const { redis, moduleRef } = this;
    const isEverywhere = run.subscriber.definition.run === 'everyWorker';
    const webSocketServer = isEverywhere ? server.viewFor(event) : server;
    return { channel, message, webSocketServer, redis, redisInstance: redis, moduleRef, [HANDLER_HOST]: run };
  }

  #isBehind(subscriber: Subscriber): boolean {
    const limit = this.#limit;
    const { waiting } = subscriber.queue;
    if (waiting === 0) subscriber.isBehind = false;
    if (limit === false || waiting < limit) return false;
    this.counters.count('subscriberQueue');
    if (!subscriber.isBehind) {
      this.#logger.warn(`The subscriber ${subscriber.label} is too slow: events are dropped for it.`);
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
      this.#handOutBatch();
      await new Promise<void>((resolve) => this.runtime.afterIo(resolve));
    }
    for (;;) {
      const running = this.registry.all.flatMap(({ queue }) => queue.finish ?? []);
      if (running.length > 0) await Promise.all(running);
      else if (!this.runner.hurry()) return;
    }
  }
}
