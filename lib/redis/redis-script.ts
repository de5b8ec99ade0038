import { createHash } from 'node:crypto';
import type { RedisClient } from './redis-client.js';

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
  async run(redis: RedisClient, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
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
