import type { RuntimeTimer } from '../runtime/runtime.js';
import type { JobEnd, QueueJob } from './job-end.js';
import type { QueueSurroundings } from './queue-surroundings.js';

/** How long it is remembered which ends were told, in ms. What is not told by then is told no more. */
export const REMEMBERED = 60_000;
/** Between two attempts, in ms. */
const PAUSE = 250;
/** How many are tried at once: all of them would be more than Redis answers in time. */
const BATCH = 500;
/** How many ends wait to be tried again. A minute of them may be more than this process has room for. */
const MOST = 10_000;

/** Which queue it is whose jobs are told of. */
export interface ToldQueue {
  readonly name: string;
  /** What the claims of this queue begin with: workers that hear it have the same. */
  readonly claims: string;
  /** What the queue knows of a job. */
  find(jobId: string): Promise<QueueJob>;
}

/** An end on its way to the cluster, and how far it has come. */
interface Telling {
  readonly end: JobEnd;
  readonly heardAt: number;
  isClaimed: boolean;
  message: object | null;
  isToldHere: boolean;
  /** Whether an attempt is under way: BullMQ's own Redis may let it wait. */
  isBusy: boolean;
  /** What it failed with last. */
  failure: unknown;
}

/**
 * Tells the cluster how jobs ended. Every worker hears of each end; the first one to claim it tells it. What fails, since
 * Redis is away, is tried again where it has stopped, for as long as the claim is remembered. Where Redis has taken an
 * event and its answer is lost, the other workers hear that event twice.
 */
export class JobEndTeller {
  /** Stands in our claims: one whose answer was lost is ours all the same. */
  readonly #owner: string;
  /** What has failed, and is tried again. */
  readonly #failed = new Set<Telling>();
  #timer: RuntimeTimer | null = null;
  #isStopped = false;

  constructor(
    private readonly queue: ToldQueue,
    private readonly surroundings: QueueSurroundings,
  ) {
    this.#owner = surroundings.runtime.randomId(9);
  }

  /** Tells of an end, unless another worker does. Never throws. */
  tell(end: JobEnd): void {
    const heardAt = this.surroundings.runtime.monotonic();
    const begun = { isClaimed: false, message: null, isToldHere: false, isBusy: false, failure: null };
    const telling: Telling = { end, heardAt, ...begun };
    if (!this.#isOver(telling)) void this.#try(telling);
  }

  /** Tries nothing again. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    const [first] = this.#failed;
    if (first) this.#report(`has not told of the ends of ${this.#failed.size} jobs`, first.failure);
    this.#failed.clear();
  }

  async #try(telling: Telling): Promise<void> {
    telling.isBusy = true;
    try {
      await this.#proceed(telling);
      this.#failed.delete(telling);
    } catch (error) {
      if (!this.#isStopped) this.#keep(telling, error);
    } finally {
      telling.isBusy = false;
    }
  }

  async #proceed(telling: Telling): Promise<void> {
    const { cluster } = this.surroundings;
    const { channel, jobId, result } = telling.end;
    telling.isClaimed ||= await this.#claim(telling);
    if (!telling.isClaimed) return;
    telling.message ??= { queue: this.queue.name, jobId, ...(await this.queue.find(jobId)), ...result };
    if (telling.isToldHere) return cluster.publishToOthers(channel, telling.message);
    telling.isToldHere = true;
    await cluster.publish(channel, telling.message);
  }

  /** False: another worker tells it. */
  async #claim({ end: { eventId, jobId }, failure }: Telling): Promise<boolean> {
    const { redis } = this.surroundings;
    if (!redis) return true; // one process hears each event once
    const key = `${this.queue.claims}:${eventId}:${jobId}`;
    const taken = await redis.link.run((client) => client.set(key, this.#owner, 'PX', REMEMBERED, 'NX'));
    if (taken === 'OK') return true;
    return failure !== null && (await redis.link.run((client) => client.get(key))) === this.#owner;
  }

  #keep(telling: Telling, error: unknown): void {
    telling.failure = error;
    if (this.#failed.size >= MOST && !this.#failed.has(telling)) {
      this.#lose(telling);
      return;
    }
    if (this.#failed.size === 0) this.#report('cannot tell of the ends of jobs, and tries again', error);
    // Behind the others, which are tried first next time.
    this.#failed.delete(telling);
    this.#failed.add(telling);
    this.#timer ??= this.surroundings.runtime.timeout(PAUSE, () => this.#tryAgain());
  }

  #tryAgain(): void {
    this.#timer = null;
    const idle = [...this.#failed].filter(({ isBusy }) => !isBusy);
    for (const telling of idle.filter((one) => this.#isOver(one))) this.#lose(telling);
    for (const telling of idle.filter((one) => this.#failed.has(one)).slice(0, BATCH)) void this.#try(telling);
    // Those that are under way still are looked at again, too.
    if (this.#failed.size > 0) this.#timer = this.surroundings.runtime.timeout(PAUSE, () => this.#tryAgain());
  }

  #lose(telling: Telling): void {
    this.#failed.delete(telling);
    this.#report('did not tell of the end of a job', telling.failure);
  }

  /** Whether nobody remembers any more who has claimed it. */
  #isOver({ end, heardAt }: Telling): boolean {
    const { redis, runtime } = this.surroundings;
    const age = redis ? redis.link.redisNow() - Number.parseInt(end.eventId) : runtime.monotonic() - heardAt;
    return age > REMEMBERED;
  }

  #report(what: string, error: unknown): void {
    this.surroundings.errors.report(`The queue ${this.queue.name} ${what}.`, error);
  }
}
