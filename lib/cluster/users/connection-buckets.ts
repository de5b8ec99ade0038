import type { RedisLink } from '../../redis/link/redis-link.js';
import { RedisScript } from '../../redis/data/redis-script.js';
import type { WsUserConnectionsLimit } from '../../options/limits.options.js';
import type { UserAdmission } from '../../limits/user-connections.interface.js';
import { BUCKET_LIFETIME, bucketKey, byBucket, readBucket } from '../subjects/buckets.js';

/**
 * Adds connections within the limit. A field holds the ids of a user's clients, the oldest first, each followed by a space.
 *
 * KEYS: the buckets. ARGV: the limit, whether the oldest are replaced (1, 0), then for each bucket: the number of connections, and
 * user and client of each connection. Returns for each connection 0 when
 * the limit is reached, otherwise 1 and the ids of the replaced clients.
 */
const ENTER = new RedisScript(`
local answers, at = {}, 3
local function enter(bucket, user, client)
  if redis.call('HSETNX', bucket, user, client .. ' ') == 1 then return { 1 } end
  local ids, answer = {}, { 1 }
  for id in string.gmatch(redis.call('HGET', bucket, user), '%S+') do
    if id ~= client then ids[#ids + 1] = id end
  end
  while #ids >= tonumber(ARGV[1]) do
    if ARGV[2] == '0' then return { 0 } end
    answer[#answer + 1] = table.remove(ids, 1)
  end
  ids[#ids + 1] = client
  redis.call('HSET', bucket, user, table.concat(ids, ' ') .. ' ')
  return answer
end
for _, bucket in ipairs(KEYS) do
  local from = at + 1
  at = from + 2 * tonumber(ARGV[at])
  for i = from, at - 1, 2 do answers[#answers + 1] = enter(bucket, ARGV[i], ARGV[i + 1]) end
end
return answers`);

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

/** The connections of all users on all workers. Each method fails as `RedisLink.run` does. */
export class ConnectionBuckets {
  constructor(
    private readonly link: RedisLink,
    private readonly prefix: string,
  ) {}

  /**
   * Adds connections, in their order, unless the limit is reached and refuses them.
   *
   * @param connections of one command
   */
  async enter<Connection extends UserConnection>(
    connections: readonly Connection[],
    { max, onExceed }: WsUserConnectionsLimit,
  ): Promise<readonly (readonly [Connection, UserAdmission])[]> {
    const buckets = byUser(connections);
    const args: (string | number)[] = [max, onExceed === 'replaceOldest' ? 1 : 0];
    for (const some of buckets.values()) {
      args.push(some.length, ...some.flatMap(pairOf));
    }
    const keys = [...buckets.keys()].map((bucket) => this.#keyOf(bucket));
    const answers = (await this.link.run((redis) => ENTER.run(redis, keys, args))) as [number, ...string[]][];
    return [...buckets.values()].flat().map((connection, at) => [connection, admissionOf(answers[at])]);
  }

  /** Adds the connections that are missing, whatever the limit. */
  async add(connections: Iterable<UserConnection>): Promise<void> {
    for (const [bucket, some] of byUser(connections)) await this.#correct(bucket, '+', some);
  }

  /** Removes connections of the users of one bucket. */
  async remove(bucket: number, connections: readonly UserConnection[]): Promise<void> {
    await this.#correct(bucket, '-', connections);
  }

  /** All connections of a bucket, page by page. Those of a user that changes meanwhile may come twice. */
  async *connections(bucket: number): AsyncGenerator<UserConnection[]> {
    for await (const users of readBucket(this.link, this.#keyOf(bucket))) {
      yield users.flatMap(([userId, clientIds]) => clientIds.map((clientId) => ({ userId, clientId })));
    }
  }

  async #correct(bucket: number, step: '+' | '-', connections: readonly UserConnection[]): Promise<void> {
    const args = [BUCKET_LIFETIME, step, ...connections.flatMap(pairOf)];
    await this.link.run((redis) => CORRECT.run(redis, [this.#keyOf(bucket)], args));
  }

  #keyOf(bucket: number): string {
    return bucketKey(this.prefix, 'users', bucket, 'connections');
  }
}

/** Groups connections by the buckets of their users. */
export function byUser<Connection extends UserConnection>(all: Iterable<Connection>): Map<number, Connection[]> {
  return byBucket(all, ({ userId }) => userId);
}

function pairOf({ userId, clientId }: UserConnection): [userId: string, clientId: string] {
  return [userId, clientId];
}

function admissionOf([admitted, ...replaced]: readonly [number, ...string[]] = [0]): UserAdmission {
  return { admitted: admitted === 1, replaced };
}
