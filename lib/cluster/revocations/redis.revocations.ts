import { MemoryRevocations } from '../../auth/tokens/memory.revocations.js';
import type { Revocation } from '../../auth/tokens/revocations.interface.js';
import { bare, isReply, unavailable } from '../../redis/link/redis-failures.js';
import type { RedisClient } from '../../redis/link/redis-client.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { chunksOf } from '../../runtime/chunks.js';
import type { Runtime } from '../../runtime/runtime.js';
import { readObject } from '../bus/json-text.js';

/** What Redis may refuse. */
const WHAT = 'to keep revocations';

/** Keeps the later of two times. KEYS: the hash; ARGV: the field, before, until. */
const ADD = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
local before, until_ = tonumber(ARGV[2]), tonumber(ARGV[3])
if known then
  local entry = cjson.decode(known)
  before, until_ = math.max(before, entry.before), math.max(until_, entry['until'])
end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({ before = before, ['until'] = until_ }))
return 1`;

/** JSON has no Infinity; no time is later than this one (ECMA-262, 21.4.1.1). */
const NEVER = 8.64e15;
/** Revocations that are written at a time. */
const BATCH = 200;

/**
 * The revocations of a cluster: every worker knows all of them, so that a connection is judged without asking Redis, and
 * Redis keeps them for workers that start later. What Redis has lost, those that know it write again.
 */
export class RedisRevocations extends MemoryRevocations {
  readonly #key: string;
  #enforce: (revocation: Revocation) => void = () => {};

  constructor(
    private readonly link: RedisLink,
    prefix: string,
    private readonly clock: Runtime,
  ) {
    super(clock);
    this.#key = `${prefix}:revocations`;
  }

  /** What is done about revocations that were missed while Redis could not be heard. */
  enforceWith(enforce: (revocation: Revocation) => void): void {
    this.#enforce = enforce;
  }

  /** @throws WsError UNAVAILABLE when Redis does not take it: this worker remembers it, and writes it once Redis does */
  override async add(revocation: Revocation): Promise<void> {
    this.learn(revocation);
    try {
      await this.#write(revocation);
    } catch (error) {
      throw isReply(error) ? unavailable(bare(error)) : error;
    }
  }

  /** Learns what Redis knows, writes what it does not know, and has forgotten what has expired by now. */
  async exchange(): Promise<void> {
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
          this.#enforce(revocation);
        }
      }
    }
    const lost = [...this.all()].map(storable).filter((revocation) => stored.isNews(revocation));
    for (const some of chunksOf(lost, BATCH)) await Promise.all(some.map((revocation) => this.#write(revocation)));
    if (expired.length > 0) await this.#run((redis) => redis.hdel(this.#key, ...expired));
  }

  async #run<T>(work: (redis: RedisClient) => Promise<T>): Promise<T> {
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
    // Its text goes along each time: one way there and back, even where Redis has just been started.
    await this.#run((redis) => redis.eval(ADD, 1, this.#key, fieldOf(subject), before, until));
  }
}

function storable({ subject, before, until }: Revocation): Revocation {
  return { subject, before: Math.min(before, NEVER), until: Math.min(until, NEVER) };
}

function fieldOf(subject: Revocation['subject']): string {
  return subject.kind === 'user' ? `user:${subject.userId}` : `token:${subject.id}`;
}

/** Null: written by somebody else. */
function revocationOf(field: string, text: string): Revocation | null {
  const { before, until } = readObject(text) ?? {};
  const [, kind, id] = /^(user|token):(.*)$/s.exec(field) ?? [];
  if (typeof before !== 'number' || typeof until !== 'number' || id === undefined) return null;
  return { subject: kind === 'user' ? { kind, userId: id } : { kind: 'token', id }, before, until };
}
