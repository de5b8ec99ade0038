import { MemoryRevocations } from '../auth/memory.revocations.js';
import type { Revocation } from '../auth/revocations.interface.js';
import type { RedisLink } from '../redis/redis-link.js';
import type { Runtime } from '../runtime/runtime.js';
import { readObject } from './json-text.js';

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

/**
 * The revocations of a cluster: every worker knows all of them, so that a connection is judged without asking Redis, and
 * Redis keeps them for workers that start later.
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

  /** @throws WsError UNAVAILABLE when Redis is down: this worker remembers it, others that start later will not */
  override async add(revocation: Revocation): Promise<void> {
    this.learn(revocation);
    const { before, until } = revocation;
    const times = [Math.min(before, NEVER), Math.min(until, NEVER)];
    await this.link.run((redis) => redis.eval(ADD, 1, this.#key, fieldOf(revocation.subject), ...times));
  }

  /** Learns what Redis knows, and has forgotten what has expired by now. */
  async load(): Promise<void> {
    const entries = await this.link.run((redis) => redis.hgetall(this.#key));
    const expired: string[] = [];
    for (const [field, text] of Object.entries(entries)) {
      const revocation = revocationOf(field, text);
      if (!revocation || revocation.until <= this.clock.now()) expired.push(field);
      else if (this.isNews(revocation)) {
        this.learn(revocation);
        this.#enforce(revocation);
      }
    }
    if (expired.length > 0) await this.link.run((redis) => redis.hdel(this.#key, ...expired));
  }
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
