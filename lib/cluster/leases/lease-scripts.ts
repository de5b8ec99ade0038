import { RedisScript } from '../../redis/data/redis-script.js';

/**
 * All of these work on one hash. A script with several keys is refused for as long as the slot of the keys is moving to
 * another node of a Redis Cluster, since each key moves by itself.
 *
 * Its fields: `epoch`; `worker:` and a worker's id: the time at which its lease ends, a space, and what the worker tells of
 * itself; `dead:` and an incarnation: since when somebody sees to what is left of it.
 */
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function lease(id)
  local ends, text = string.match(redis.call('HGET', KEYS[1], 'worker:' .. id) or '', '^(%d+) (.*)$')
  return tonumber(ends), text
end
`;

/**
 * Renews a worker's lease and reads those of all. A lease that was taken from the worker is not given back to the same
 * incarnation: others have told of its end.
 *
 * KEYS: the hash. ARGV: worker id, ms, what it tells of itself, whether the incarnation is new (1, 0), an epoch to begin
 * with. Returns what the worker told last ('' when its lease is gone), the time, and the flat contents of the hash.
 */
export const BEAT = new RedisScript(`${COMMON}
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[5])
local ends, before = lease(ARGV[1])
if before or ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], 'worker:' .. ARGV[1], string.format('%.0f', now + ARGV[2]) .. ' ' .. ARGV[3])
end
return { before or '', now, redis.call('HGETALL', KEYS[1]) }`);

/**
 * Takes the lease of a worker whose time is over: of all that try, one succeeds (1), and everybody hears of it.
 *
 * KEYS: the hash. ARGV: worker id, what it told last, its incarnation, the channel, the hint.
 */
export const TAKE = new RedisScript(`${COMMON}
local ends, text = lease(ARGV[1])
if not ends or ends >= now or text ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], 'worker:' .. ARGV[1])
redis.call('HSET', KEYS[1], 'dead:' .. ARGV[3], string.format('%.0f', now))
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1`);

/**
 * Takes over a dead worker's remains from somebody who has not finished with them in time; of all that try, one succeeds.
 *
 * KEYS: the hash. ARGV: the incarnation, ms.
 */
export const TAKE_OVER = new RedisScript(`${COMMON}
local since = redis.call('HGET', KEYS[1], 'dead:' .. ARGV[1])
if not since or since + ARGV[2] >= now then return 0 end
redis.call('HSET', KEYS[1], 'dead:' .. ARGV[1], string.format('%.0f', now))
return 1`);

/** Gives a lease up. KEYS: the hash. ARGV: worker id, the channel, the hint. */
export const LEAVE = new RedisScript(`
redis.call('HDEL', KEYS[1], 'worker:' .. ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1`);
