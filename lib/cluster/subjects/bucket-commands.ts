import { isReply, bare } from '../../redis/link/redis-failures.js';
import type { RedisLink } from '../../redis/link/redis-link.js';

/**
 * Writes what lies in several buckets: by one command, or by a command for each bucket where the keys of a command have to be in one
 * slot. That is so in a Redis Cluster, and at servers and proxies that have slots although they are addressed as a single server.
 */
export class BucketCommands {
  #isSplit: boolean;

  constructor(link: RedisLink) {
    this.#isSplit = link.isCluster;
  }

  /**
   * @param write sends one command. When it fails, only what that command would have written has failed
   * @throws what the first command fails with, once all are answered
   */
  async send<T>(
    all: readonly T[],
    byBucket: (all: readonly T[]) => ReadonlyMap<number, readonly T[]>,
    write: (some: readonly T[]) => Promise<void>,
  ): Promise<void> {
    if (!this.#isSplit) {
      try {
        await write(all);
        return;
      } catch (error) {
        if (!isCrossSlot(error)) throw error;
        this.#isSplit = true;
      }
    }
    const results = await Promise.allSettled([...byBucket(all).values()].map(write));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
}

/** Whether the keys of a command are in several slots. It was not executed. */
function isCrossSlot(error: unknown): boolean {
  return isReply(error) && bare(error).message.startsWith('CROSSSLOT');
}
