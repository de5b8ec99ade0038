import type { RedisLink } from '../../redis/link/redis-link.js';
import { IN_TIME, RedisScript } from '../../redis/data/redis-script.js';
import type { Position } from './position.js';
import type { RegistryKeys } from './registry-keys.js';

/** How long an unchanged hash lives, in leases. */
const LIFETIME = 6;

/**
 * Writes a batch, which moves the hash from one `seq` to the next, and publishes its hint. A batch that was written before
 * (its reply was lost) is not written again, and a hash at any other `seq` is left alone. With the same `seq` twice it only
 * checks the hash.
 *
 * KEYS: the hash. ARGV: seq before, seq after, ms to live, channel, hint ('' for none), the deadline of `inTime`, the number
 * of clients that are gone, their ids, then id and record of each changed client. Returns 0 when the hash is at another
 * `seq`, otherwise 1.
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

/** What changes from one `seq` to the next. */
export interface Batch {
  readonly seq: number;
  /** What is published to the other workers; '' for nothing. */
  readonly hint: string;
  /** The ids of clients that have gone. */
  readonly gone: readonly string[];
  /** The id and the record (JSON) of each changed client, in turn. */
  readonly fields: readonly string[];
}

/** The hash in Redis with the clients of one incarnation of this worker, one field per client. */
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
    const args = [this.#seq, seq, LIFETIME * this.lease, hints, ...news, gone.length, ...gone, ...fields];
    if ((await this.link.run((redis) => COMMIT.run(redis, [this.#key], args))) !== 1) return false;
    this.#seq = seq;
    return true;
  }

  async delete(): Promise<void> {
    await this.link.run((redis) => redis.unlink(this.#key));
  }
}
