import type { RuntimeTimer } from '../runtime/runtime.js';
import type { QueueSurroundings } from './queue-surroundings.js';

/** How long a claim is remembered, in ms. An end that is not published by then is given up. */
export const REMEMBERED = 60_000;
/** The time between two attempts, in ms. */
const PAUSE = 250;
/** How many ends are tried again at once: Redis could not answer for all of them in time. */
const BATCH = 500;
/** How many ends may wait to be tried again, so that an outage does not fill the memory. */
const MOST = 10_000;

/** How one job has ended, as BullMQ reports it to every worker. */
export interface JobEnd {
  /** The event's id in BullMQ's stream: when it happened in ms since 1970, and a number. */
  readonly eventId: string;
  readonly channel: 'queueJobCompleted' | 'queueJobError';
  readonly jobId: string;
  readonly result: { readonly returnValue: unknown } | { readonly failedReason: string };
}

/** What a queue knows of a job; empty for a job that it has removed. */
export interface QueueJob {
  readonly name?: string | undefined;
  readonly data?: unknown;
}

/** The queue whose ends are published. */
export interface PublishedQueue {
  readonly name: string;
  /** The beginning of the keys that claim this queue's events: the same on every worker. */
  readonly claims: string;
  /** Reads a job from the queue. */
  find(jobId: string): Promise<QueueJob>;
}

/** One end, and how far its publication has come. */
interface Publication {
  readonly end: JobEnd;
  readonly heardAt: number;
  isClaimed: boolean;
  message: object | null;
  isPublishedHere: boolean;
  /** Whether an attempt is running: BullMQ's Redis may be slow. */
  isBusy: boolean;
  /** The last failure. */
  failure: unknown;
}

/**
 * Publishes the ends of jobs to the cluster. BullMQ reports each end to every worker; the first one to claim it in Redis
 * publishes it. What fails while Redis is away is tried again from the step that failed, as long as the claim is remembered.
 * When Redis has taken an event and its answer is lost, the other workers get that event twice.
 */
export class JobEndPublisher {
  /** The value of our claims: it shows that a claim is ours when Redis' answer was lost. */
  readonly #owner: string;
  /** The ends that have failed and are tried again. */
  readonly #failed = new Set<Publication>();
  #timer: RuntimeTimer | null = null;
  #isStopped = false;

  constructor(
    private readonly queue: PublishedQueue,
    private readonly surroundings: QueueSurroundings,
  ) {
    this.#owner = surroundings.runtime.randomId(9);
  }

  /** Publishes an end, unless another worker does. Never throws. */
  publish(end: JobEnd): void {
    const heardAt = this.surroundings.runtime.monotonic();
    const begun = { isClaimed: false, message: null, isPublishedHere: false, isBusy: false, failure: null };
    const publication: Publication = { end, heardAt, ...begun };
    if (!this.#isOver(publication)) void this.#try(publication);
  }

  /** Gives up what has failed. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    const [first] = this.#failed;
    if (first) this.#report(`has not told of the ends of ${this.#failed.size} jobs`, first.failure);
    this.#failed.clear();
  }

  async #try(publication: Publication): Promise<void> {
    publication.isBusy = true;
    try {
      await this.#proceed(publication);
      this.#failed.delete(publication);
    } catch (error) {
      if (!this.#isStopped) this.#keep(publication, error);
    } finally {
      publication.isBusy = false;
    }
  }

  async #proceed(publication: Publication): Promise<void> {
    const { cluster } = this.surroundings;
    const { channel, jobId, result } = publication.end;
    publication.isClaimed ||= await this.#claim(publication);
    if (!publication.isClaimed) return;
    publication.message ??= { queue: this.queue.name, jobId, ...(await this.queue.find(jobId)), ...result };
    if (publication.isPublishedHere) return cluster.publishToOthers(channel, publication.message);
    publication.isPublishedHere = true;
    await cluster.publish(channel, publication.message);
  }

  /** False when another worker has claimed it. */
  async #claim({ end: { eventId, jobId }, failure }: Publication): Promise<boolean> {
    const { redis } = this.surroundings;
    if (!redis) return true; // a single process gets each event once
    const key = `${this.queue.claims}:${eventId}:${jobId}`;
    const taken = await redis.link.run((client) => client.set(key, this.#owner, 'PX', REMEMBERED, 'NX'));
    if (taken === 'OK') return true;
    return failure !== null && (await redis.link.run((client) => client.get(key))) === this.#owner;
  }

  #keep(publication: Publication, error: unknown): void {
    publication.failure = error;
    if (this.#failed.size >= MOST && !this.#failed.has(publication)) {
      this.#lose(publication);
      return;
    }
    if (this.#failed.size === 0) this.#report('cannot tell of the ends of jobs, and tries again', error);
    // To the end of the order, so that the others are tried first next time.
    this.#failed.delete(publication);
    this.#failed.add(publication);
    this.#timer ??= this.surroundings.runtime.timeout(PAUSE, () => this.#tryAgain());
  }

  #tryAgain(): void {
    this.#timer = null;
    const idle = [...this.#failed].filter(({ isBusy }) => !isBusy);
    for (const publication of idle.filter((one) => this.#isOver(one))) this.#lose(publication);
    for (const publication of idle.filter((one) => this.#failed.has(one)).slice(0, BATCH)) void this.#try(publication);
    // Also for those whose attempt still runs.
    if (this.#failed.size > 0) this.#timer = this.surroundings.runtime.timeout(PAUSE, () => this.#tryAgain());
  }

  #lose(publication: Publication): void {
    this.#failed.delete(publication);
    this.#report('did not tell of the end of a job', publication.failure);
  }

  /** Whether its claim may have expired. */
  #isOver({ end, heardAt }: Publication): boolean {
    const { redis, runtime } = this.surroundings;
    const age = redis ? redis.link.redisNow() - Number.parseInt(end.eventId) : runtime.monotonic() - heardAt;
    return age > REMEMBERED;
  }

  #report(what: string, error: unknown): void {
    this.surroundings.errors.report(`The queue ${this.queue.name} ${what}.`, error);
  }
}
