import { createHash } from 'node:crypto';
import type { WsRedisClient } from '../../options/redis.options.js';

/**
 * Lua: `inTime(text)` is true until the deadline in the text (ms since 1970); `''` is no deadline. Receivers drop old
 * messages, so a Redis that stood still must not make a change whose message would be dropped. The script returns LATE
 * instead, and the caller tries again.
 */
export const IN_TIME = `
local function inTime(deadline)
  if deadline == '' then return true end
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000 <= tonumber(deadline)
end
local LATE = { err = 'LATE Redis stood still for too long.' }
`;

/** A Lua script, which Redis executes as one step. All of its keys must be in one slot of a Redis Cluster. */
export class RedisScript {
  readonly #sha: string;

  constructor(private readonly lua: string) {
    this.#sha = createHash('sha1').update(lua).digest('hex');
  }

  /**
   * Runs the script. Its text is sent only to servers that do not know it yet.
   *
   * @returns the script's result, as ioredis converts it
   */
  async run(redis: WsRedisClient, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isUnknown(error)) throw error;
      return redis.eval(this.lua, keys.length, ...keys, ...args);
    }
  }
}

function isUnknown(error: unknown): boolean {
  return String((error as { message?: unknown } | null)?.message).startsWith('NOSCRIPT');
}
