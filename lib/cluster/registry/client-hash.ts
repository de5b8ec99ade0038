import type { RedisLink } from '../../redis/link/redis-link.js';
import { IN_TIME, RedisScript } from '../../redis/data/redis-script.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Position } from './position.js';
import type { RegistryKeys } from './registry-keys.js';

/** How long an unchanged hash lives, in leases. */
const LIFETIME = 6;

/**
 * Writes a batch, which moves the hash from one `seq` to the next, and publishes its hint. A batch that was written before
 * (its reply was lost) is not written again, and a hash at any other `seq` is left alone. With the same `seq` twice it only
 * checks the hash.
 *
 * KEYS: the hash. ARGV: seq before, seq after, ms to live ('' to leave its life as it is), channel, hint ('' for none), the deadline of `inTime`, the number
 * of fields that are removed, their names, then name and value of each changed field: in portions, since Lua unpacks some
 * thousand values at most. Returns 0 when the hash is at another `seq`, otherwise 1.
 */
const COMMIT = new RedisScript(`${IN_TIME}
if not inTime(ARGV[6]) then return LATE end
local seq = redis.call('HGET', KEYS[1], '') or '0'
if seq ~= ARGV[1] and seq ~= ARGV[2] then return 0 end
if seq ~= ARGV[2] then
  local at = 8 + tonumber(ARGV[7])
  for from = 8, at - 1, 1000 do
    redis.call('HDEL', KEYS[1], unpack(ARGV, from, math.min(from + 999, at - 1)))
  end
  repeat
    redis.call('HSET', KEYS[1], '', ARGV[2], unpack(ARGV, at, math.min(at + 999, #ARGV)))
    at = at + 1000
  until at > #ARGV
  if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
end
if ARGV[3] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1`);

/** What changes from one `seq` to the next. */
export interface Batch {
  readonly seq: number;
  /** What is published to the other workers; '' for nothing. */
  readonly hint: string;
  /** The names of the fields that are removed: of clients that have gone, and of states of members that have left. */
  readonly gone: readonly string[];
  /** The names and values of changed fields in turn: the id and the record (JSON) of each client, and states of members. */
  readonly fields: readonly string[];
}

/**
 * The hash in Redis with the clients of one incarnation of this worker: one field per client, one per state of a member (see
 * `shared-state.ts`), and the `seq` under the empty name.
 */
export class ClientHash implements Position {
  readonly #key: string;
  #seq = 0;
  /** When its life was extended last (monotonic, ms). */
  #extendedAt = -Infinity;

  /** @param lease ms */
  constructor(
    private readonly link: RedisLink,
    private readonly keys: RegistryKeys,
    workerId: string,
    readonly incarnation: number,
    private readonly lease: number,
    private readonly runtime: Runtime,
  ) {
    this.#key = keys.clients(workerId, incarnation);
  }

  /** The last batch that Redis confirmed. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * Writes a batch; the same batch may be committed again after a failure. Fails as `RedisLink.run` does.
   *
   * @returns false when Redis has lost the hash, or another worker has deleted it
   */
  async commit({ seq, hint, gone, fields }: Batch): Promise<boolean> {
    const { hints } = this.keys;
    const news = hint === '' ? ['', ''] : [this.link.sealed(hints, hint), this.link.sealedUntil];
    const now = this.runtime.monotonic();
    const life = now - this.#extendedAt > this.lease ? LIFETIME * this.lease : '';
    const args = [this.#seq, seq, life, hints, ...news, gone.length, ...gone, ...fields];
    if ((await this.link.run((redis) => COMMIT.run(redis, [this.#key], args))) !== 1) return false;
    this.#seq = seq;
    if (life !== '') this.#extendedAt = now;
    return true;
  }

  async delete(): Promise<void> {
    await this.link.run((redis) => redis.unlink(this.#key));
  }
}
