import { RedisScript } from '../redis/data/redis-script.js';
import type { QueueSurroundings } from './queue-surroundings.js';

/** Milliseconds until the others may take the lead of a worker that does not renew it. */
const LEASE = 3_000;
/** Milliseconds for which an answer holds. */
const KNOWN = 500;

/** KEYS: the lead. ARGV: who asks, for how many ms. Returns 1 for whoever has it then. */
const TAKE = new RedisScript(`
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

/** KEYS: the lead. ARGV: who gives it up. */
const LEAVE = new RedisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`);

/**
 * Which worker tells of the jobs of a queue, where their progress is told: one at a time, since only what one worker publishes
 * comes in order. It is asked for when there is something to tell, and passes to another worker when this one is silent.
 */
export class QueueLead {
  readonly #owner: string;
  /** Until when (monotonic, ms) it is ours, as far as we know. */
  #endsAt = -Infinity;
  /** Until when (monotonic, ms) we need not ask. */
  #knownUntil = -Infinity;
  #asking: Promise<boolean> | null = null;
  #hasLeft = false;

  /** @param isWanted whether progress is told; otherwise every worker may tell of ends, whichever claims one first */
  constructor(
    private readonly key: string,
    private readonly isWanted: () => boolean,
    private readonly surroundings: QueueSurroundings,
  ) {
    this.#owner = surroundings.runtime.randomId(9);
  }

  /** Whether this worker may tell now, without asking. */
  get isOurs(): boolean {
    return !this.#isShared || this.#now < this.#endsAt;
  }

  /** Whether another worker is known to have it. */
  get isTaken(): boolean {
    return !this.isOurs && (this.#hasLeft || this.#now < this.#knownUntil);
  }

  /**
   * Takes or renews the lead, if no other worker has it.
   *
   * @returns whether this worker may tell
   * @throws as `RedisLink.run` does
   */
  take(): Promise<boolean> {
    if (!this.#isShared || this.#hasLeft || this.#now < this.#knownUntil) return Promise.resolve(this.isOurs);
    return (this.#asking ??= this.#ask().finally(() => (this.#asking = null)));
  }

  /** Leaves the lead to the others, for good. Does not reject. */
  async leave(): Promise<void> {
    const { redis } = this.surroundings;
    const wasOurs = this.#isShared && this.isOurs;
    this.#hasLeft = true;
    this.#endsAt = -Infinity;
    if (wasOurs) await redis?.link.run((client) => LEAVE.run(client, [this.key], [this.#owner])).catch(() => undefined);
  }

  get #isShared(): boolean {
    return this.surroundings.redis !== null && this.isWanted();
  }

  get #now(): number {
    return this.surroundings.runtime.monotonic();
  }

  async #ask(): Promise<boolean> {
    const askedAt = this.#now;
    const taken = await this.surroundings.redis?.link.run((redis) => TAKE.run(redis, [this.key], [this.#owner, LEASE]));
    // Counted from before the question, so that it is over here before it is in Redis.
    this.#endsAt = taken === 1 && !this.#hasLeft ? askedAt + LEASE : -Infinity;
    this.#knownUntil = askedAt + KNOWN;
    return this.isOurs;
  }
}
