import type { RuntimeTimer } from '../runtime/runtime.js';
import type { QueueLead } from './queue-lead.js';
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

/** The queue whose jobs are told of. */
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
  /** Who tells it; null: nobody has claimed it, as far as we know. */
  claim: 'ours' | 'theirs' | null;
  message: object | null;
  isPublishedHere: boolean;
  /** Whether an attempt is running: BullMQ's Redis may be slow. */
  isBusy: boolean;
  /** The last failure. */
  failure: unknown;
}

/**
 * Publishes the ends of jobs to the cluster. BullMQ reports each end to every worker; the first one to claim it in Redis
 * publishes it, or the one with the lead of the queue, where progress is told too. What fails while Redis is away is tried again from the step that failed, as long as the claim is remembered.
 * When Redis has taken an event and its answer is lost, the other workers get that event twice.
 */
export class JobEndPublisher {
  /** The value of our claims: it shows that a claim is ours when Redis' answer was lost. */
  readonly #owner: string;
  /** The ends that have failed and are tried again. */
  readonly #failed = new Set<Publication>();
  /** The ends that are left to the worker with the lead, until it has claimed them. */
  readonly #left = new Set<Publication>();
  #timer: RuntimeTimer | null = null;
  #isStopped = false;

  constructor(
    private readonly queue: PublishedQueue,
    private readonly lead: QueueLead,
    private readonly surroundings: QueueSurroundings,
  ) {
    this.#owner = surroundings.runtime.randomId(9);
  }

  /** Publishes an end, unless another worker does. Never throws. */
  publish(end: JobEnd): void {
    const heardAt = this.surroundings.runtime.monotonic();
    const begun = { claim: null, message: null, isPublishedHere: false, isBusy: false, failure: null };
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
    this.#left.clear();
  }

  async #try(publication: Publication): Promise<void> {
    publication.isBusy = true;
    try {
      if (await this.#settle(publication)) this.#forget(publication);
      else this.#leave(publication);
    } catch (error) {
      if (!this.#isStopped) this.#keep(publication, error);
    } finally {
      publication.isBusy = false;
    }
  }

  /** False while the end is left to the worker that has the lead. */
  async #settle(publication: Publication): Promise<boolean> {
    publication.claim ??= await this.#claim(publication);
    if (publication.claim === 'ours') await this.#tell(publication);
    return publication.claim !== null;
  }

  async #tell(publication: Publication): Promise<void> {
    const { cluster } = this.surroundings;
    const { channel, jobId, result } = publication.end;
    publication.message ??= { queue: this.queue.name, jobId, ...(await this.queue.find(jobId)), ...result };
    if (publication.isPublishedHere) return cluster.publishToOthers(channel, publication.message);
    publication.isPublishedHere = true;
    await cluster.publish(channel, publication.message);
  }

  /** Null where the worker that has the lead has not claimed it yet. */
  async #claim(publication: Publication): Promise<Publication['claim']> {
    const { redis } = this.surroundings;
    if (!redis) return 'ours'; // a single process gets each event once
    const { end, failure } = publication;
    const key = `${this.queue.claims}:${end.eventId}:${end.jobId}`;
    if (await this.lead.take()) {
      const taken = await redis.link.run((client) => client.set(key, this.#owner, 'PX', REMEMBERED, 'NX'));
      if (taken === 'OK') return 'ours';
      if (failure === null) return 'theirs';
    } else if (!this.#left.has(publication)) return null;
    const owner = await redis.link.run((client) => client.get(key));
    if (owner === null) return null;
    return owner === this.#owner ? 'ours' : 'theirs';
  }

  #forget(publication: Publication): void {
    this.#failed.delete(publication);
    this.#left.delete(publication);
  }

  /** It is looked at again, since the worker with the lead may die. */
  #leave(publication: Publication): void {
    if (this.#isStopped) return;
    const [oldest] = this.#left;
    if (oldest && this.#left.size >= MOST) this.#left.delete(oldest);
    this.#failed.delete(publication);
    this.#left.add(publication);
    this.#tryLater();
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
    this.#left.delete(publication);
    this.#tryLater();
  }

  #tryLater(): void {
    this.#timer ??= this.surroundings.runtime.timeout(PAUSE, () => this.#tryAgain());
  }

  #tryAgain(): void {
    this.#timer = null;
    const idle = [...this.#failed, ...this.#left].filter(({ isBusy }) => !isBusy);
    const [over, open] = [idle.filter((one) => this.#isOver(one)), idle.filter((one) => !this.#isOver(one))];
    for (const publication of over) this.#lose(publication);
    for (const publication of open.slice(0, BATCH)) void this.#try(publication);
    // Also for those whose attempt still runs.
    if (this.#failed.size + this.#left.size > 0) this.#tryLater();
  }

  #lose(publication: Publication): void {
    this.#forget(publication);
    this.#report('did not tell of the end of a job', publication.failure ?? new Error('Another worker was to tell.'));
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
