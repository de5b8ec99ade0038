import type { RedisLink } from '../../redis/link/redis-link.js';
import { IN_TIME, RedisScript } from '../../redis/data/redis-script.js';
import type { Position } from './position.js';
import type { RegistryKeys } from './registry-keys.js';

/** How long a hash lives to which nothing is committed, in leases: as far as anybody may still come back to it. */
const LIFETIME = 6;

/**
 * Moves a hash from one `seq` to the next. What came through although nobody was told so is not done twice, and a hash
 * that is not ours any more is left alone. With the same `seq` twice it only looks.
 *
 * KEYS: the hash. ARGV: seq before, seq after, ms to live, channel, hint ('' for none), until when, how many clients are
 * gone, their ids, then id and record of each that has changed. Returns 1, or 0 when the hash is not where it should be.
 */
const COMMIT = new RedisScript(`${IN_TIME}
if not inTime(ARGV[6]) then return LATE end
local seq = redis.call('HGET', KEYS[1], '') or '0'
if seq ~= ARGV[1] and seq ~= ARGV[2] then return 0 end
if seq ~= ARGV[2] then
  local gone = tonumber(ARGV[7])
  if gone > 0 then redis.call('HDEL', KEYS[1], unpack(ARGV, 8, 7 + gone)) end
  redis.call('HSET', KEYS[1], '', ARGV[2], unpack(ARGV, 8 + gone))
  if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
end
return redis.call('PEXPIRE', KEYS[1], ARGV[3])`);

/** What becomes of a worker's clients from one `seq` to the next. */
export interface Batch {
  readonly seq: number;
  /** What the others are told; '' for nothing. */
  readonly hint: string;
  /** Ids. */
  readonly gone: readonly string[];
  /** The id and the record, as JSON, of each that has changed. */
  readonly fields: readonly string[];
}

/** The clients of one incarnation of this worker: a hash in Redis, with a field for each. */
export class ClientHash implements Position {
  readonly #key: string;
  #seq = 0;

  /** @param lease ms */
  constructor(
    private readonly link: RedisLink,
    private readonly keys: RegistryKeys,
    workerId: string,
    readonly incarnation: number,
    private readonly lease: number,
  ) {
    this.#key = keys.clients(workerId, incarnation);
  }

  /** The last batch that is known to have come through. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * Carries a batch out: once, however often it is asked for. Fails as `RedisLink.run` does.
   *
   * @returns false when the hash is not what it should be: Redis has lost it, or it was deleted
   */
  async commit({ seq, hint, gone, fields }: Batch): Promise<boolean> {
    const { hints } = this.keys;
    const news = hint === '' ? ['', ''] : [this.link.sealed(hints, hint), this.link.sealedUntil];
    const args = [this.#seq, seq, LIFETIME * this.lease, hints, ...news, gone.length, ...gone, ...fields];
    if ((await this.link.run((redis) => COMMIT.run(redis, [this.#key], args))) !== 1) return false;
    this.#seq = seq;
    return true;
  }

  async delete(): Promise<void> {
    await this.link.run((redis) => redis.unlink(this.#key));
  }
}
