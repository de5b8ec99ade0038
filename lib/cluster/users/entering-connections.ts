import type { WsUserConnectionsLimit } from '../../options/limits.options.js';
import type { UserAdmission } from '../../limits/user-connections.interface.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import type { Runtime } from '../../runtime/runtime.js';
import { BucketCommands } from '../subjects/bucket-commands.js';
import { byUser, type ConnectionBuckets, type UserConnection } from './connection-buckets.js';

/** How many connections are asked for at a time. */
const BATCH = 1_000;

interface EnteringConnection extends UserConnection {
  resolve(admission: UserAdmission): void;
  reject(error: unknown): void;
}

/**
 * The connections that want to be counted. Those that come in one turn of the event loop, and those that come while Redis is being
 * asked, are asked for together.
 */
export class EnteringConnections {
  #waiting: EnteringConnection[] = [];
  #isDue = false;
  readonly #commands: BucketCommands;

  constructor(
    private readonly buckets: ConnectionBuckets,
    private readonly limit: WsUserConnectionsLimit,
    link: RedisLink,
    private readonly runtime: Runtime,
  ) {
    this.#commands = new BucketCommands(link);
  }

  /** Counts a connection if it is within the limit or replaces older ones. Fails as `RedisLink.run` does. */
  enter(userId: string, clientId: string): Promise<UserAdmission> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ userId, clientId, resolve, reject });
      if (this.#isDue) return;
      this.#isDue = true;
      this.runtime.afterIo(() => void this.#askForAll());
    });
  }

  async #askForAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const asking = this.#waiting.splice(0, BATCH);
      try {
        await this.#commands.send(asking, byUser, (some) => this.#ask(some));
      } catch (error) {
        // Those of other commands are settled.
        for (const connection of asking) connection.reject(error);
      }
    }
    this.#isDue = false;
  }

  async #ask(connections: readonly EnteringConnection[]): Promise<void> {
    const admissions = await this.buckets.enter(connections, this.limit);
    for (const [connection, admission] of admissions) connection.resolve(admission);
  }
}
