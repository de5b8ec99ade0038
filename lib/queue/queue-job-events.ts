import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Queue, QueueEvents } from 'bullmq';
import { type WsRedisOption, resolveRedis, type WsRedisClient } from '../options/redis.options.js';
import { isGroup, OptionChecks } from '../options/checks/option-checks.js';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import { loadBullMq } from './load-bullmq.js';
import { JobEndPublisher, REMEMBERED, type JobEnd, type PublishedQueue, type QueueJob } from './job-end.publisher.js';
import { JobProgressPublisher } from './job-progress.publisher.js';
import { QueueConnection } from './queue-connection.js';
import { QueueLead } from './queue-lead.js';
import type { QueueSurroundings } from './queue-surroundings.js';

/** How long BullMQ blocks for events at a time, in ms; after a close it may go on for as long. */
const WAIT = 2_000;
/** Milliseconds between two messages about the progress of one job. */
const INTERVAL = 250;
/** BullMQ's default. */
const USUAL_PREFIX = 'bull';

/** What {@link WebSocketQueueEvents.forQueue} takes besides the queue's name. */
export interface WsQueueEventsOptions {
  /** Where the queue is. An instance is duplicated, never used itself. Default: the module's own Redis. */
  redis?: WsRedisOption | undefined;
  /** The queue's own `prefix` in BullMQ. Default: BullMQ's, `'bull'`. */
  prefix?: string | undefined;
  /**
   * Whether the progress of jobs is told too, as `queueJobProgress`: of each job at most one message in `interval` ms, with the
   * newest that it has reported. Default: where a subscriber of this application names that channel, as
   * `forwardQueueEvents({ progress: true })` does.
   */
  progress?: boolean | WsQueueProgressOptions | undefined;
}

/** How the progress of jobs is told. */
export interface WsQueueProgressOptions {
  /** Milliseconds between two messages about one job, at least 10. Default: 250. */
  interval?: number | undefined;
}

/** Reads from BullMQ how the jobs of one queue get on and end, on every worker, and publishes it to the cluster. */
export class QueueJobEvents implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #template: WsRedisClient | null;
  readonly #prefix: string;
  readonly #progressRules: ProgressRules;
  #connection: QueueConnection | null = null;
  #events: QueueEvents | null = null;
  #jobs: Queue | null = null;
  #lead: QueueLead | null = null;
  #ends: JobEndPublisher | null = null;
  #progress: JobProgressPublisher | null = null;

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
    this.#progressRules = resolveProgress(checks);
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
    this.#tellFrom(this.#events, this.#jobs);
  }

  /** While there is a connection to Redis. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#lead?.leave();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#progress?.stop();
    this.#ends?.stop();
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

  #tellFrom(events: QueueEvents, jobs: Queue): void {
    const { surroundings } = this;
    const queue: PublishedQueue = {
      name: this.queue,
      claims: this.#claims,
      find: async (jobId) => {
        // A queue may remove jobs when they end; then only what the event itself says is known.
        const job = (await jobs.getJob(jobId)) as QueueJob | undefined;
        return { name: job?.name, data: job?.data };
      },
    };
    const lead = (this.#lead = new QueueLead(`${queue.claims}:lead`, () => this.#tellsProgress, surroundings));
    const ends = (this.#ends = new JobEndPublisher(queue, lead, surroundings));
    const progress = new JobProgressPublisher(queue, lead, this.#progressRules.interval, surroundings);
    this.#progress = progress;
    const end = async (jobEnd: JobEnd): Promise<void> => {
      if (this.#tellsProgress) await progress.finish(jobEnd.jobId);
      ends.publish(jobEnd);
    };
    // In the order in which they happened: the stream of a queue has all of them.
    events.on('active', ({ jobId }) => progress.begin(jobId));
    events.on('progress', ({ jobId, data }, eventId) => {
      if (this.#tellsProgress) progress.publish(jobId, data, eventId);
    });
    events.on('completed', ({ jobId, returnvalue }, eventId) => {
      void end({ eventId, channel: 'queueJobCompleted', jobId, result: { returnValue: returnvalue } });
    });
    events.on('failed', ({ jobId, failedReason }, eventId) => {
      void end({ eventId, channel: 'queueJobError', jobId, result: { failedReason } });
    });
  }

  get #tellsProgress(): boolean {
    return this.#progressRules.isOn ?? this.surroundings.subscribers.names('queueJobProgress');
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

interface ProgressRules {
  /** Undefined: where a subscriber names the channel. */
  readonly isOn: boolean | undefined;
  readonly interval: number;
}

function resolveProgress(checks: OptionChecks): ProgressRules {
  const given = checks.raw('progress');
  if (given === undefined || typeof given === 'boolean') return { isOn: given, interval: INTERVAL };
  if (!isGroup(given)) return checks.refuse('progress', 'true, false or { interval }');
  return checks.inGroup('progress', (progress) => ({ isOn: true, interval: progress.time('interval', INTERVAL, 10) }));
}

/** The call by which the application has asked for the events. */
function callOf(queue: string): string {
  return `WebSocketQueueEvents.forQueue('${queue}')`;
}
