import type { RedisLink } from '../../redis/link/redis-link.js';
import { RedisScript } from '../../redis/data/redis-script.js';
import type { WsUserConnectionsLimit } from '../../options/limits.options.js';
import type { UserAdmission } from '../../limits/user-connections.interface.js';
import { BUCKET_LIFETIME, bucketKey, readBucket } from '../subjects/buckets.js';

/**
 * Adds a connection within the limit. A field holds the ids of a user's clients, the oldest first, each followed by a space.
 *
 * KEYS: the bucket. ARGV: user, client, the limit, whether the oldest are replaced (1, 0), ms to live. Returns 0 when the
 * limit is reached, otherwise 1 and the ids of the replaced clients.
 */
const ENTER = new RedisScript(`
local ids, answer = {}, { 1 }
for id in string.gmatch(redis.call('HGET', KEYS[1], ARGV[1]) or '', '%S+') do
  if id ~= ARGV[2] then ids[#ids + 1] = id end
end
while #ids >= tonumber(ARGV[3]) do
  if ARGV[4] == '0' then return { 0 } end
  answer[#answer + 1] = table.remove(ids, 1)
end
ids[#ids + 1] = ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], table.concat(ids, ' ') .. ' ')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return answer`);

/**
 * Adds the connections that are missing, or removes connections, whatever the limit.
 *
 * KEYS: the bucket. ARGV: ms to live, `+` to add or `-` to remove, then user and client of each.
 */
const CORRECT = new RedisScript(`
for at = 3, #ARGV, 2 do
  local user, client = ARGV[at], ARGV[at + 1] .. ' '
  local before, others = redis.call('HGET', KEYS[1], user) or '', ''
  for id in string.gmatch(before, '%S+ ') do
    if id ~= client then others = others .. id end
  end
  if ARGV[2] == '+' then
    if others == before then redis.call('HSET', KEYS[1], user, before .. client) end
  elseif others == '' then redis.call('HDEL', KEYS[1], user)
  else redis.call('HSET', KEYS[1], user, others) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`);

/** A connection of a user. */
export interface UserConnection {
  readonly userId: string;
  readonly clientId: string;
}

/** The connections of a bucket's users on all workers. Each method fails as `RedisLink.run` does. */
export class ConnectionBucket {
  readonly #key: string;

  constructor(
    private readonly link: RedisLink,
    prefix: string,
    bucket: number,
  ) {
    this.#key = bucketKey(prefix, 'users', bucket, 'connections');
  }

  /** Adds a connection, unless the limit is reached and refuses it. */
  async enter(userId: string, clientId: string, { max, onExceed }: WsUserConnectionsLimit): Promise<UserAdmission> {
    const args = [userId, clientId, max, onExceed === 'replaceOldest' ? 1 : 0, BUCKET_LIFETIME];
    const answer = (await this.link.run((redis) => ENTER.run(redis, [this.#key], args))) as [number, ...string[]];
    const [admitted, ...replaced] = answer;
    return { admitted: admitted === 1, replaced };
  }

  /** Adds the connections that are missing, whatever the limit. */
  async add(connections: readonly UserConnection[]): Promise<void> {
    await this.#correct('+', connections);
  }

  /** Removes connections. */
  async remove(connections: readonly UserConnection[]): Promise<void> {
    await this.#correct('-', connections);
  }

  /** All connections, page by page. Those of a user that changes meanwhile may come twice. */
  async *connections(): AsyncGenerator<UserConnection[]> {
    for await (const users of readBucket(this.link, this.#key)) {
      yield users.flatMap(([userId, clientIds]) => clientIds.map((clientId) => ({ userId, clientId })));
    }
  }

  async #correct(step: '+' | '-', connections: readonly UserConnection[]): Promise<void> {
    const args = connections.flatMap(({ userId, clientId }) => [userId, clientId]);
    await this.link.run((redis) => CORRECT.run(redis, [this.#key], [BUCKET_LIFETIME, step, ...args]));
  }
}
