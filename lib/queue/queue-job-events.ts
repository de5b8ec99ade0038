import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Queue, QueueEvents } from 'bullmq';
import type { RedisOption } from '../interfaces/redis-option.interface.js';
import { OptionChecks } from '../options/option-checks.js';
import { resolveRedis, type ResolvedRedis } from '../options/redis.options.js';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import { QueueConnection } from './queue-connection.js';
import type { QueueSurroundings } from './queue-surroundings.js';

/** How long it is remembered which events were told, in ms. What is heard later than that is told no more. */
const REMEMBERED = 60_000;
/** How long BullMQ waits for events at a time, in ms. It may go on for so long after it was closed. */
const WAIT = 2_000;

/** What {@link WebSocketQueueEvents.forQueue} takes besides the queue's name. */
export interface QueueEventsOptions {
  /** Where the queue is. An instance is duplicated, never used itself. Default: the module's own Redis. */
  redis?: RedisOption | undefined;
  /** The queue's own `prefix` in BullMQ. Default: BullMQ's. */
  prefix?: string | undefined;
}

/** The end of one job. */
interface Ending {
  readonly channel: 'queueJobCompleted' | 'queueJobError';
  readonly jobId: string;
  readonly result: { returnValue: unknown } | { failedReason: string };
}

/** Tells the cluster how the jobs of one queue end. Every worker hears BullMQ; the first one to claim an event tells it. */
export class QueueJobEvents implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #given: ResolvedRedis | undefined;
  readonly #prefix: string | undefined;
  #connection: QueueConnection | null = null;
  #events: QueueEvents | null = null;
  #jobs: Queue | null = null;

  /** @throws PxlWebSocketOptionsError */
  constructor(
    private readonly queue: string,
    options: QueueEventsOptions,
    private readonly surroundings: QueueSurroundings,
  ) {
    const checks: OptionChecks = new OptionChecks(callOf(queue), options);
    const prefix = checks.raw('prefix');
    this.#given = resolveRedis(checks);
    this.#prefix = prefix === undefined || typeof prefix === 'string' ? prefix : checks.refuse('prefix', 'a text');
    checks.finish();
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.surroundings.isEnabled) return;
    const { Queue, QueueEvents } = await loadBullMq(this.queue);
    const connection = this.#connect();
    const options = { connection: connection.client, ...(this.#prefix === undefined ? {} : { prefix: this.#prefix }) };
    const failed = (error: Error): void => connection.fail(error);
    this.#jobs = new Queue(this.queue, options).on('error', failed);
    const listening = { ...options, blockingTimeout: WAIT, ...this.#position() };
    this.#events = new QueueEvents(this.queue, listening).on('error', failed);
    this.#events.on('completed', ({ jobId, returnvalue }, id) => {
      this.#ended(id, { channel: 'queueJobCompleted', jobId, result: { returnValue: returnvalue } });
    });
    this.#events.on('failed', ({ jobId, failedReason }, id) => {
      this.#ended(id, { channel: 'queueJobError', jobId, result: { failedReason } });
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#connection?.close([this.#events, this.#jobs].filter((user) => user !== null));
  }

  /** Where to begin: a while ago, so that nothing is lost while the only worker starts again; what was told is claimed. */
  #position(): { lastEventId?: string } {
    const { redis } = this.surroundings;
    // Twice as far as is told of: how late it is in Redis is a guess before there is a connection.
    return redis ? { lastEventId: String(Math.round(redis.link.redisNow()) - 2 * REMEMBERED) } : {};
  }

  #ended(id: string, ending: Ending): void {
    this.#tell(id, ending).catch((error: unknown) => this.#report('did not tell of the end of a job', error));
  }

  async #tell(id: string, { channel, jobId, result }: Ending): Promise<void> {
    if (!(await this.#claim(id))) return;
    // A queue may forget jobs at once; then only what the event itself says is known.
    const job = (await this.#jobs?.getJob(jobId)) as { name: string; data: unknown } | undefined;
    const message = { queue: this.queue, jobId, name: job?.name, data: job?.data, ...result };
    await this.surroundings.cluster.publish(channel, message);
  }

  /** @param id of the event in BullMQ's stream: when it happened, in ms since 1970, and a number */
  async #claim(id: string): Promise<boolean> {
    const { redis, prefix } = this.surroundings;
    if (!redis) return true; // one process hears each event once
    if (redis.link.redisNow() - Number.parseInt(id) > REMEMBERED) return false;
    const key = `${prefix}:queue-event:${this.#prefix ?? ''}:${this.queue}:${id}`;
    return (await redis.link.run((client) => client.set(key, '1', 'PX', REMEMBERED, 'NX'))) === 'OK';
  }

  #connect(): QueueConnection {
    const template = this.#given?.template ?? this.surroundings.template;
    if (!template) {
      throw new PxlWebSocketSetupError(`${callOf(this.queue)} needs the option redis where the module has none.`);
    }
    const failed = (error: Error): void => this.#report('cannot be heard', error);
    return (this.#connection = new QueueConnection(template, failed, this.surroundings.runtime));
  }

  #report(what: string, error: unknown): void {
    this.surroundings.errors.report(`The queue ${this.queue} ${what}.`, error);
  }
}

async function loadBullMq(queue: string): Promise<typeof import('bullmq')> {
  try {
    return await import('bullmq');
  } catch (cause) {
    throw new PxlWebSocketSetupError(`${callOf(queue)} needs the package bullmq.`, { cause });
  }
}

/** How the application has asked for the events. */
function callOf(queue: string): string {
  return `WebSocketQueueEvents.forQueue('${queue}')`;
}
