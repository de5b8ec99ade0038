import { MemoryRevocations } from '../../auth/tokens/memory.revocations.js';
import type { Revocation } from '../../auth/tokens/revocations.interface.js';
import { bare, isReply, unavailable } from '../../redis/link/redis-failures.js';
import type { WsRedisClient } from '../../options/redis.options.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { chunksOf } from '../../runtime/chunks.js';
import type { Runtime } from '../../runtime/runtime.js';
import { readObject } from '../bus/json-text.js';

/** Names this use of Redis in the log, where Redis refuses it. */
const WHAT = 'to keep revocations';

/** Adds a revocation; of two for the same subject the later times are kept. KEYS: the hash; ARGV: the field, before, until. */
const ADD = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
local before, until_ = tonumber(ARGV[2]), tonumber(ARGV[3])
if known then
  local entry = cjson.decode(known)
  before, until_ = math.max(before, entry.before), math.max(until_, entry['until'])
end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({ before = before, ['until'] = until_ }))
return 1`;

/** Stands for Infinity, which JSON does not have: the last time that a Date can hold (ECMA-262, 21.4.1.1). */
const NEVER = 8.64e15;
/** How many revocations are written at a time. */
const BATCH = 200;

/**
 * The revocations of a cluster. Every worker knows all of them, so that it can check a connection without asking Redis.
 * Redis keeps them for workers that start later; what Redis loses, the workers write again.
 */
export class RedisRevocations extends MemoryRevocations {
  readonly #key: string;

  constructor(
    private readonly link: RedisLink,
    prefix: string,
    private readonly clock: Runtime,
  ) {
    super(clock);
    this.#key = `${prefix}:revocations`;
  }

  /**
   * @throws WsError UNAVAILABLE when Redis does not take the revocation. This worker remembers it all the same, and writes it
   * in a later {@link exchange}
   */
  override async add(revocation: Revocation): Promise<void> {
    this.learn(revocation);
    try {
      await this.#write(revocation);
    } catch (error) {
      throw isReply(error) ? unavailable(bare(error)) : error;
    }
  }

  /**
   * Learns what Redis knows, writes what Redis does not know, and deletes what has expired.
   *
   * @param missed called with each revocation that was news to this worker
   */
  async exchange(missed: (revocation: Revocation) => void): Promise<void> {
    const entries = await this.#run((redis) => redis.hgetall(this.#key));
    const stored = new MemoryRevocations(this.clock);
    const expired: string[] = [];
    for (const [field, text] of Object.entries(entries)) {
      const revocation = revocationOf(field, text);
      if (!revocation || revocation.until <= this.clock.now()) expired.push(field);
      else {
        stored.learn(revocation);
        if (this.isNews(revocation)) {
          this.learn(revocation);
          missed(revocation);
        }
      }
    }
    const lost = [...this.all()].map(storable).filter((revocation) => stored.isNews(revocation));
    for (const some of chunksOf(lost, BATCH)) await Promise.all(some.map((revocation) => this.#write(revocation)));
    if (expired.length > 0) await this.#run((redis) => redis.hdel(this.#key, ...expired));
  }

  async #run<T>(work: (redis: WsRedisClient) => Promise<T>): Promise<T> {
    try {
      const answer = await this.link.run(work);
      this.link.outcome(WHAT);
      return answer;
    } catch (error) {
      this.link.outcome(WHAT, error);
      throw error;
    }
  }

  async #write(revocation: Revocation): Promise<void> {
    const { subject, before, until } = storable(revocation);
    // EVAL instead of EVALSHA: one round trip, even when Redis has just started and does not know the script.
    await this.#run((redis) => redis.eval(ADD, 1, this.#key, fieldOf(subject), before, until));
  }
}

function storable({ subject, before, until }: Revocation): Revocation {
  return { subject, before: Math.min(before, NEVER), until: Math.min(until, NEVER) };
}

function fieldOf(subject: Revocation['subject']): string {
  return subject.kind === 'user' ? `user:${subject.userId}` : `token:${subject.id}`;
}

/** Null for an entry that this library did not write. */
function revocationOf(field: string, text: string): Revocation | null {
  const { before, until } = readObject(text) ?? {};
  const [, kind, id] = /^(user|token):(.*)$/s.exec(field) ?? [];
  if (typeof before !== 'number' || typeof until !== 'number' || id === undefined) return null;
  return { subject: kind === 'user' ? { kind, userId: id } : { kind: 'token', id }, before, until };
}
