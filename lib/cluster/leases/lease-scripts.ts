import { RedisScript } from '../../redis/data/redis-script.js';

/**
 * All scripts of leases use one key, a hash: while a slot of a Redis Cluster moves, scripts with several keys are refused,
 * since each key moves by itself.
 *
 * Fields of the hash: `epoch`; `worker:<id>`: when the lease ends (ms), a space, and the worker's description of itself;
 * `dead:<id>.<incarnation>`: since when (ms) a worker has been removing the data of that dead incarnation; 0: none has begun.
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
 * Renews a worker's lease and reads all leases. An incarnation whose lease was taken does not get it back, because the
 * others have announced its end.
 *
 * KEYS: the hash. ARGV: worker id, length of the lease (ms), description, whether the incarnation is new (1, 0), the epoch
 * to set if there is none. Returns the previous description ('' if there was no lease), the time (ms), and the hash.
 */
export const BEAT = new RedisScript(`${COMMON}
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[5])
local ends, before = lease(ARGV[1])
if before or ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], 'worker:' .. ARGV[1], string.format('%.0f', now + ARGV[2]) .. ' ' .. ARGV[3])
end
return { before or '', now, redis.call('HGETALL', KEYS[1]) }`);

/**
 * Takes the expired lease of a dead worker and publishes it. Of all workers that try, one succeeds and gets 1.
 *
 * KEYS: the hash. ARGV: worker id, its last description, `<id>.<incarnation>`, the channel, the hint.
 */
export const TAKE = new RedisScript(`${COMMON}
local ends, text = lease(ARGV[1])
if not ends or ends >= now or text ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], 'worker:' .. ARGV[1])
redis.call('HSET', KEYS[1], 'dead:' .. ARGV[3], string.format('%.0f', now))
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1`);

/**
 * Takes over the removal of a dead incarnation's data from a worker that did not finish in time. Of all workers that try,
 * one succeeds and gets 1.
 *
 * KEYS: the hash. ARGV: `<id>.<incarnation>`, the time allowed (ms).
 */
export const TAKE_OVER = new RedisScript(`${COMMON}
local since = redis.call('HGET', KEYS[1], 'dead:' .. ARGV[1])
if not since or since + ARGV[2] >= now then return 0 end
redis.call('HSET', KEYS[1], 'dead:' .. ARGV[1], string.format('%.0f', now))
return 1`);

/**
 * Gives up a lease and publishes it. KEYS: the hash. ARGV: worker id, the channel, the hint, `<id>.<incarnation>` where the worker
 * leaves data for another one to remove, else ''.
 */
export const LEAVE = new RedisScript(`
redis.call('HDEL', KEYS[1], 'worker:' .. ARGV[1])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'dead:' .. ARGV[4], '0') end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1`);
