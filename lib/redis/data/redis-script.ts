import { createHash } from 'node:crypto';
import type { WsRedisClient } from '../../options/redis.options.js';

/**
 * Lua: `inTime(text)` tells whether the time in the text, in ms since 1970, is not over yet; `''` is never over. What a
 * script publishes is dropped by all when it is old: a Redis that stood still must not do a thing of which nobody hears. It
 * answers LATE, and who asked for it does it again.
 */
export const IN_TIME = `
local function inTime(deadline)
  if deadline == '' then return true end
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000 <= tonumber(deadline)
end
local LATE = { err = 'LATE Redis stood still for too long.' }
`;

/** A Lua script, which Redis carries out as one step. Its keys share one hash tag, so that a cluster takes it too. */
export class RedisScript {
  readonly #sha: string;

  constructor(private readonly lua: string) {
    this.#sha = createHash('sha1').update(lua).digest('hex');
  }

  /**
   * Runs the script; its text travels only to servers that do not know it yet.
   *
   * @returns what the script returns, as ioredis has it
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
