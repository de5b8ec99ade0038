import type { Cluster, Redis } from 'ioredis';
import { isCluster } from '../redis/link/redis-client.js';
import type { WsRedisClient } from '../options/redis.options.js';
import type { Runtime } from '../runtime/runtime.js';

/** The longest wait between two attempts to connect, ms. */
const LONGEST_WAIT = 2_000;
/** How long BullMQ may take to end what it does, ms. */
const CLOSING = 1_000;

/** What BullMQ's classes have in common. */
interface Closable {
  close(): Promise<unknown>;
}

/** What BullMQ talks through. It blocks as long as it likes: never one of those that messages travel on. */
export class QueueConnection {
  readonly client: Redis | Cluster;
  #isDown = false;
  #isClosed = false;

  /**
   * @param template never used itself
   * @param failed told of what it fails with, once until it works again
   */
  constructor(
    template: WsRedisClient,
    private readonly failed: (error: Error) => void,
    private readonly runtime: Runtime,
  ) {
    // BullMQ's own duplicates inherit it: closed ones end, wherever they are.
    const retry = (attempt: number): number | null => (this.#isClosed ? null : Math.min(attempt * 50, LONGEST_WAIT));
    const shared = { keyPrefix: '', enableOfflineQueue: true };
    const single = { maxRetriesPerRequest: null, commandTimeout: undefined, connectTimeout: 10_000 };
    this.client = isCluster(template)
      ? template.duplicate([], {
          ...shared,
          clusterRetryStrategy: retry,
          redisOptions: single,
        })
      : template.duplicate({ ...shared, ...single, retryStrategy: retry });
    this.client.on('error', (error: Error) => this.fail(error));
    this.client.on('ready', () => {
      this.#isDown = false;
    });
  }

  /** Tells of a failure, unless one is known already. */
  fail(error: Error): void {
    if (this.#isDown || this.#isClosed) return;
    this.#isDown = true;
    this.failed(error);
  }

  /** Ends what talks through it, then itself; settles within a second, though BullMQ waits for a Redis that is gone. */
  async close(users: readonly Closable[]): Promise<void> {
    this.#isClosed = true;
    const ended = Promise.allSettled(users.map((user) => user.close()));
    await this.runtime.waitFor(CLOSING, ended, () => new Error('BullMQ does not close.')).catch(() => undefined);
    this.client.disconnect();
  }
}
