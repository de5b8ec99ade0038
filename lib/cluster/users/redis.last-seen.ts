import { RedisScript } from '../../redis/data/redis-script.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { chunksOf } from '../../runtime/chunks.js';
import type { LeasedData } from '../leases/leased-data.interface.js';
import { Reconciler } from '../subjects/reconciler.js';
import type { LastSeen } from './last-seen.interface.js';

/** Names this use of Redis in the log, where Redis refuses it. */
const WHAT = 'to keep when users were seen last';
/** How many users are written at a time. */
const BATCH = 1_000;
/** How many users may wait to be written, while Redis cannot be reached. Above that, those of the earliest ends are given up. */
const MOST_WAITING = 100_000;

/** Keeps the later one of two times. KEYS: the user's. ARGV: the time (ms), when Redis forgets it (ms). */
const SEE = new RedisScript(`
local known = tonumber(redis.call('GET', KEYS[1]) or '')
if known and known >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return redis.call('PEXPIREAT', KEYS[1], ARGV[2])`);

export interface RedisLastSeenOptions {
  readonly prefix: string;
  /** ms */
  readonly lifetime: number;
}

/**
 * {@link LastSeen} of all workers, in Redis: a key for each user, which expires by itself. What ends in one turn of the event
 * loop is written together; what fails is tried again at the next beat.
 */
export class RedisLastSeen implements LastSeen, LeasedData {
  /** The ends that are not written yet, by user, the earliest first. */
  readonly #waiting = new Map<string, number>();
  readonly #reconciler: Reconciler;
  #isDue = false;

  /** @param online the users with sessions on this worker */
  constructor(
    private readonly link: RedisLink,
    private readonly online: () => Iterable<string>,
    private readonly options: RedisLastSeenOptions,
    private readonly afterIo: (work: () => void) => void,
  ) {
    const nothing = (): Promise<void> => Promise.resolve();
    const steps = { rewrite: nothing, removeGhosts: nothing, writeChanges: () => this.#writeWaiting() };
    this.#reconciler = new Reconciler(
      steps,
      () => link.isReady && this.#waiting.size > 0,
      (error) => link.outcome(WHAT, error),
    );
  }

  ended(userId: string): void {
    this.#waiting.delete(userId);
    this.#waiting.set(userId, this.#now);
    const [earliest] = this.#waiting.keys();
    if (this.#waiting.size > MOST_WAITING && earliest !== undefined) this.#waiting.delete(earliest);
    if (this.#isDue) return;
    this.#isDue = true;
    this.afterIo(() => {
      this.#isDue = false;
      this.#reconciler.start();
    });
  }

  async of(userId: string): Promise<number | null> {
    const at = this.#waiting.get(userId);
    if (at !== undefined) return at;
    const known = await this.link.run((redis) => redis.get(this.#keyOf(userId)));
    return known === null ? null : Number(known);
  }

  /** The sessions of these users have ended with a dead worker. @param at ms since 1970 */
  async lost(userIds: readonly string[], at: number): Promise<void> {
    for (const some of chunksOf(userIds, BATCH)) await this.#write(some.map((userId) => [userId, at]));
  }

  renewed(): void {}

  beat(): void {
    this.#reconciler.beat();
  }

  /** What a dead worker's users leave is told by {@link lost}. */
  remove(): Promise<void> {
    return Promise.resolve();
  }

  /** The sessions of this worker's users end soon. They may end after it could tell. */
  async stop(): Promise<boolean> {
    for (const userId of this.online()) this.#waiting.set(userId, this.#now);
    await this.#reconciler.idle();
    await this.#writeWaiting();
    return false;
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.size > 0) {
      const [some = []] = chunksOf(this.#waiting, BATCH);
      await this.#write(some);
      for (const [userId, at] of some) if (this.#waiting.get(userId) === at) this.#waiting.delete(userId);
    }
  }

  async #write(ends: readonly (readonly [userId: string, at: number])[]): Promise<void> {
    await this.link.run((redis) =>
      Promise.all(ends.map(([userId, at]) => SEE.run(redis, [this.#keyOf(userId)], [at, at + this.options.lifetime]))),
    );
  }

  get #now(): number {
    return Math.round(this.link.redisNow());
  }

  #keyOf(userId: string): string {
    return `${this.options.prefix}:seen:${userId}`;
  }
}
