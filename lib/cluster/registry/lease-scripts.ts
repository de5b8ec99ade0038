import { RedisScript } from '../../redis/redis-script.js';

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Renews a worker's lease and reads those of all. A lease that was taken from the worker is not given back to the same
 * incarnation: others have told of its end.
 *
 * KEYS: leases, workers, dead, epoch. ARGV: worker id, ms, what it tells of itself, whether the incarnation is new (1, 0),
 * an epoch to begin with. Returns the epoch, what the worker told last ('' when its lease is gone), the time, and the flat
 * contents of leases, workers and dead.
 */
export const BEAT = new RedisScript(`${NOW}
redis.call('SET', KEYS[4], ARGV[5], 'NX')
local before = redis.call('HGET', KEYS[2], ARGV[1]) or ''
if before ~= '' or ARGV[4] == '1' then
  redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
end
return {
  redis.call('GET', KEYS[4]), before, now, redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'),
  redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]),
}`);

/**
 * Takes the lease of a worker whose time is over: of all that try, one succeeds (1), and everybody hears of it.
 *
 * KEYS: leases, workers, dead. ARGV: worker id, what it told last, its field in dead, the channel, the hint.
 */
export const TAKE = new RedisScript(`${NOW}
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not ends or tonumber(ends) >= now or redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[3], now)
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1`);

/**
 * Takes over a dead worker's remains from somebody who has not finished with them in time; of all that try, one succeeds.
 *
 * KEYS: dead. ARGV: the field, ms.
 */
export const TAKE_OVER = new RedisScript(`${NOW}
local since = redis.call('HGET', KEYS[1], ARGV[1])
if not since or since + ARGV[2] >= now then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], now)
return 1`);

/** Gives a lease up. KEYS: leases, workers. ARGV: worker id, the channel, the hint. */
export const LEAVE = new RedisScript(`
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1`);
