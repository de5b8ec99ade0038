import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { ClusterEvent } from '../cluster/events/cluster-events.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import type { ResolvedWebhooks } from '../options/observability/webhooks.options.js';
import type { WsRedisClient } from '../options/redis.options.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';
import { CLUSTER_CLOCK, type ClusterClock } from '../runtime/cluster-clock.js';
import { counter, gauge, type MetricSource, type WebSocketMetric } from '../runtime/metrics/metrics.js';
import { NEUTRAL_SCOPE } from '../runtime/neutral-scope.js';
import { Runtime } from '../runtime/runtime.js';
import { WebhookLane } from './webhook-lane.js';
import { writeWebhook } from './webhook-message.js';
import { WebhookQueue } from './webhook-queue.js';
import { WebhookReceiver } from './webhook-receiver.js';

/** How events get into BullMQ: until it has them, however often that fails. */
const INTO_QUEUE = { attempts: Infinity, backoff: 500, maxBackoff: 5_000, concurrency: 64 };
/** Random bytes of an id. */
const ID_BYTES = 18;

/** Tells other systems of cluster events: of each event the one worker that is responsible for it. */
@Injectable()
export class Webhooks implements MetricSource, OnModuleInit {
  readonly #lanes = new Map<WebhookReceiver, WebhookLane>();
  readonly #byEvent = new Map<string, WebhookLane[]>();
  #queue: WebhookQueue | null = null;
  #stopped: Promise<void> | null = null;

  constructor(
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
    @Inject(CLUSTER_CLOCK) private readonly clock: ClusterClock,
    @Inject(PXL_WS_REDIS) private readonly redis: WsRedisClient | null,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    const { webhooks, enabled } = options;
    if (webhooks && enabled) this.#prepare(webhooks);
  }

  get isOn(): boolean {
    return this.#lanes.size > 0;
  }

  /** Before the first event is told. @throws PxlWebSocketSetupError where there is to be a queue, without BullMQ */
  async onModuleInit(): Promise<void> {
    await this.#queue?.start();
  }

  /** Whether events of a channel are of use. */
  readonly hears = (channel: string): boolean => this.#byEvent.has(channel);

  /** Takes an event of the cluster. Does not throw. */
  readonly hear = ({ channel, message, isResponsible }: ClusterEvent): void => {
    const lanes = isResponsible ? this.#byEvent.get(channel) : undefined;
    if (!lanes) return;
    const webhook = writeWebhook(`msg_${this.runtime.randomId(ID_BYTES)}`, channel, message, this.clock.now());
    // Not in the scope of the handler, or of the request, that has caused the event.
    NEUTRAL_SCOPE.runInAsyncScope(() => {
      for (const lane of lanes) lane.add(webhook);
    });
  };

  /** Sends what waits, or what this worker has begun to send, within `ms`. Happens once. */
  stop(ms: number): Promise<void> {
    return (this.#stopped ??= this.#stop(ms));
  }

  *metrics(): Iterable<WebSocketMetric> {
    for (const [{ name: endpoint, delivered, failed, dropped }, { size }] of this.#lanes) {
      yield counter('webhooks_delivered', delivered, { endpoint });
      yield counter('webhooks_failed', failed, { endpoint });
      for (const [reason, count] of dropped) yield counter('webhooks_dropped', count, { endpoint, reason });
      yield gauge('webhooks_pending', size, { endpoint });
    }
  }

  async #stop(ms: number): Promise<void> {
    const until = this.runtime.monotonic() + ms;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop(ms)));
    await this.#queue?.stop(Math.max(0, until - this.runtime.monotonic()));
  }

  #prepare(webhooks: ResolvedWebhooks): void {
    const { errors, runtime } = this;
    const receivers = webhooks.endpoints.map((endpoint) => new WebhookReceiver(endpoint, webhooks, errors, runtime));
    const queue = (this.#queue = this.#queueFor(receivers, webhooks));
    for (const receiver of receivers) {
      const lane = queue
        ? new WebhookLane(receiver, (webhook) => queue.add(receiver, webhook), { ...webhooks, ...INTO_QUEUE }, runtime)
        : new WebhookLane(receiver, (webhook) => receiver.send(webhook), webhooks, runtime);
      this.#lanes.set(receiver, lane);
      for (const event of receiver.endpoint.events) {
        this.#byEvent.set(event, [...(this.#byEvent.get(event) ?? []), lane]);
      }
    }
  }

  #queueFor(receivers: readonly WebhookReceiver[], webhooks: ResolvedWebhooks): WebhookQueue | null {
    const { queue } = webhooks;
    const template = queue && (queue.template ?? this.redis);
    if (!template) return null;
    const { prefix, name = `${this.options.prefix}-webhooks` } = queue;
    return new WebhookQueue(receivers, webhooks, { template, prefix, name }, this.errors, this.runtime);
  }
}
