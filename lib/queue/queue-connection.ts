import type { Cluster, Redis } from 'ioredis';
import { isCluster } from '../redis/link/redis-client.js';
import type { WsRedisClient } from '../options/redis.options.js';
import type { Runtime } from '../runtime/runtime.js';

/** The longest wait between two attempts to connect, in ms. */
const LONGEST_WAIT = 2_000;
/** How long the close waits for BullMQ, in ms. */
const CLOSING = 1_000;

/** A `Queue` or `QueueEvents` of BullMQ. */
interface Closable {
  close(): Promise<unknown>;
}

/** The connection of BullMQ to Redis. BullMQ uses blocking commands, so it is never one that messages travel on. */
export class QueueConnection {
  readonly client: Redis | Cluster;
  #isDown = false;
  #isClosed = false;

  /**
   * @param template is duplicated, never used itself
   * @param failed is called with a failure, once until the connection works again
   */
  constructor(
    template: WsRedisClient,
    private readonly failed: (error: Error) => void,
    private readonly runtime: Runtime,
  ) {
    // BullMQ duplicates this client, and its duplicates end by the same function.
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

  /** Reports a failure, unless one is known already. */
  fail(error: Error): void {
    if (this.#isDown || this.#isClosed) return;
    this.#isDown = true;
    this.failed(error);
  }

  /** Closes `users`, then the connection. Settles within a second, although BullMQ would wait for a Redis that is gone. */
  async close(users: readonly Closable[]): Promise<void> {
    this.#isClosed = true;
    const ended = Promise.allSettled(users.map((user) => user.close()));
    await this.runtime.waitFor(CLOSING, ended, () => new Error('BullMQ does not close.')).catch(() => undefined);
    this.client.disconnect();
  }
}
