import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Queue, QueueEvents } from 'bullmq';
import { type WsRedisOption, resolveRedis, type WsRedisClient } from '../options/redis.options.js';
import { OptionChecks } from '../options/checks/option-checks.js';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import { loadBullMq } from './load-bullmq.js';
import { JobEndPublisher, REMEMBERED, type QueueJob } from './job-end.publisher.js';
import { QueueConnection } from './queue-connection.js';
import type { QueueSurroundings } from './queue-surroundings.js';

/** How long BullMQ blocks for events at a time, in ms; after a close it may go on for as long. */
const WAIT = 2_000;
/** BullMQ's default. */
const USUAL_PREFIX = 'bull';

/** What {@link WebSocketQueueEvents.forQueue} takes besides the queue's name. */
export interface WsQueueEventsOptions {
  /** Where the queue is. An instance is duplicated, never used itself. Default: the module's own Redis. */
  redis?: WsRedisOption | undefined;
  /** The queue's own `prefix` in BullMQ. Default: BullMQ's, `'bull'`. */
  prefix?: string | undefined;
}

/** Reads from BullMQ how the jobs of one queue end, on every worker, and publishes it to the cluster. */
export class QueueJobEvents implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #template: WsRedisClient | null;
  readonly #prefix: string;
  #connection: QueueConnection | null = null;
  #events: QueueEvents | null = null;
  #jobs: Queue | null = null;
  #publisher: JobEndPublisher | null = null;

  /**
   * @throws PxlWebSocketOptionsError for wrong options
   * @throws PxlWebSocketSetupError for a queue that another provider hears already
   */
  constructor(
    private readonly queue: string,
    options: WsQueueEventsOptions,
    private readonly surroundings: QueueSurroundings,
  ) {
    const checks: OptionChecks = new OptionChecks(callOf(queue), options);
    const prefix = checks.raw('prefix') ?? USUAL_PREFIX;
    this.#template = resolveRedis(checks)?.template ?? surroundings.template;
    this.#prefix = typeof prefix === 'string' ? prefix : checks.refuse('prefix', 'a text');
    checks.finish();
    if (surroundings.heard.add(this.#template, this.#prefix, queue)) return;
    throw new PxlWebSocketSetupError(
      `${callOf(queue)} stands twice among the providers of the application: each end of a job would be told twice.`,
    );
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.surroundings.isEnabled) return;
    const { Queue, QueueEvents } = await loadBullMq(callOf(this.queue));
    const connection = this.#connect();
    const options = { connection: connection.client, prefix: this.#prefix };
    const failed = (error: Error): void => connection.fail(error);
    this.#jobs = new Queue(this.queue, options).on('error', failed);
    const listening = { ...options, blockingTimeout: WAIT, ...this.#position() };
    this.#events = new QueueEvents(this.queue, listening).on('error', failed);
    const publisher = (this.#publisher = this.#publisherFor(this.#jobs));
    this.#events.on('completed', ({ jobId, returnvalue }, eventId) => {
      publisher.publish({ eventId, channel: 'queueJobCompleted', jobId, result: { returnValue: returnvalue } });
    });
    this.#events.on('failed', ({ jobId, failedReason }, eventId) => {
      publisher.publish({ eventId, channel: 'queueJobError', jobId, result: { failedReason } });
    });
  }

  async onApplicationShutdown(): Promise<void> {
    this.#publisher?.stop();
    await this.#connection?.close([this.#events, this.#jobs].filter((user) => user !== null));
  }

  /** Begins a while ago, so that no end is lost when the only worker restarts; published ones are claimed. */
  #position(): { lastEventId?: string } {
    const { redis } = this.surroundings;
    // Twice as far back as needed: before there is a connection, the time in Redis is a guess.
    return redis ? { lastEventId: String(Math.round(redis.link.redisNow()) - 2 * REMEMBERED) } : {};
  }

  /** The beginning of the keys that claim this queue's events: the same on every worker. */
  get #claims(): string {
    const [prefix, queue] = [this.#prefix, this.queue].map(encodeURIComponent);
    return `${this.surroundings.prefix}:queue-event:${prefix}:${queue}`;
  }

  #publisherFor(jobs: Queue): JobEndPublisher {
    const find = async (jobId: string): Promise<QueueJob> => {
      // A queue may remove jobs when they end; then only what the event itself says is known.
      const job = (await jobs.getJob(jobId)) as QueueJob | undefined;
      return { name: job?.name, data: job?.data };
    };
    return new JobEndPublisher({ name: this.queue, claims: this.#claims, find }, this.surroundings);
  }

  #connect(): QueueConnection {
    if (!this.#template) {
      throw new PxlWebSocketSetupError(`${callOf(this.queue)} needs the option redis where the module has none.`);
    }
    const { errors, runtime } = this.surroundings;
    const failed = (error: Error): void => errors.report(`The queue ${this.queue} cannot be heard.`, error);
    return (this.#connection = new QueueConnection(this.#template, failed, runtime));
  }
}

/** The call by which the application has asked for the events. */
function callOf(queue: string): string {
  return `WebSocketQueueEvents.forQueue('${queue}')`;
}
