import type { Job, Queue, Worker } from 'bullmq';
import { asError } from '../errors/as-error.js';
import type { ErrorReporter } from '../errors/error-reporter.js';
import type { ResolvedWebhooks } from '../options/observability/webhooks.options.js';
import type { WsRedisClient } from '../options/redis.options.js';
import { loadBullMq } from '../queue/load-bullmq.js';
import { QueueConnection } from '../queue/queue-connection.js';
import type { Runtime } from '../runtime/runtime.js';
import { waitAfter } from './webhook-failure.js';
import type { WebhookMessage } from './webhook-message.js';
import type { WebhookReceiver } from './webhook-receiver.js';

/** The name of all jobs. */
const JOB = 'webhook';
/** How many jobs that were given up are kept, for whoever wants to look at them or to try them again. */
const KEPT = 1_000;
/** How often a job may be found again after the process that had it has died. */
const DEATHS = 1_000;

/** Where the queues of one application are. */
export interface WebhookQueuePlace {
  /** Is duplicated, never used itself. */
  readonly template: WsRedisClient;
  readonly prefix: string;
  /** The beginning of the names. */
  readonly name: string;
}

/**
 * The queues of BullMQ in which webhooks wait, one for each receiver, so that none holds up another. Every worker of the
 * application takes jobs from all of them; BullMQ gives each job to one, and again to another when that one dies.
 */
export class WebhookQueue {
  readonly #queues = new Map<WebhookReceiver, Queue<WebhookMessage>>();
  readonly #workers = new Map<WebhookReceiver, Worker<WebhookMessage>>();
  #connection: QueueConnection | null = null;

  constructor(
    private readonly receivers: readonly WebhookReceiver[],
    private readonly settings: ResolvedWebhooks,
    private readonly place: WebhookQueuePlace,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
  ) {}

  /** @throws PxlWebSocketSetupError without BullMQ */
  async start(): Promise<void> {
    const { Queue, UnrecoverableError, Worker } = await loadBullMq('The option webhooks.queue');
    const { settings, place, runtime } = this;
    const failed = (error: Error): void => connection.fail(error);
    const report = (error: Error): void => this.errors.report('The queue of webhooks cannot be used.', error);
    const connection = (this.#connection = new QueueConnection(place.template, report, runtime));
    const shared = { connection: connection.client, prefix: place.prefix };
    const defaultJobOptions = {
      attempts: settings.attempts,
      backoff: { type: 'custom' },
      removeOnComplete: true,
      removeOnFail: { count: KEPT },
    };
    const backoffStrategy = (attempts: number, _type?: string, error?: Error): number =>
      waitAfter(error, attempts, settings, runtime.random());
    // An attempt takes webhooks.timeout at most, and the lock is renewed meanwhile.
    const lock = { lockDuration: 2 * settings.timeout, stalledInterval: 2 * settings.timeout };
    const working = { ...shared, ...lock, concurrency: settings.concurrency, maxStalledCount: DEATHS };
    for (const receiver of this.receivers) {
      const name = `${place.name}-${receiver.name}`.replaceAll(':', '-');
      this.#queues.set(receiver, new Queue<WebhookMessage>(name, { ...shared, defaultJobOptions }).on('error', failed));
      const send = async (job: Job<WebhookMessage>): Promise<void> => {
        try {
          if (receiver.isGone) throw new UnrecoverableError('Gone');
          await receiver.send(job.data);
        } catch (failure) {
          const isLast = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
          if (receiver.isGone || isLast) receiver.giveUp(job.data, failure);
          if (receiver.isGone) throw new UnrecoverableError('Gone');
          throw failure;
        }
      };
      const worker = new Worker<WebhookMessage>(name, send, { ...working, settings: { backoffStrategy } });
      this.#workers.set(receiver, worker.on('error', failed));
    }
  }

  /** Puts an event into the queue of a receiver; to do that twice does no harm. */
  async add(receiver: WebhookReceiver, message: WebhookMessage): Promise<void> {
    try {
      await this.#queues.get(receiver)?.add(JOB, message, { jobId: message.id });
    } catch (error) {
      this.#connection?.fail(asError(error));
      throw error;
    }
  }

  /** Finishes what this worker is sending, within `ms`. What is left stays in the queue, for the others. */
  async stop(ms: number): Promise<void> {
    const workers = [...this.#workers.values()];
    // Not closed yet: a close waits for what is under way, for as long as Redis is gone, and cannot be hurried later.
    const idle = Promise.allSettled(workers.map((worker) => worker.pause()));
    await this.runtime.waitFor(ms, idle, () => new Error('late')).catch(() => undefined);
    for (const receiver of this.receivers) receiver.abort();
    const ends = workers.map((worker) => ({ close: () => worker.close(true) }));
    await this.#connection?.close([...ends, ...this.#queues.values()]);
  }
}
