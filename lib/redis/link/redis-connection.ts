import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';
import { abandon } from './abandon.js';
import { Backoff } from './backoff.js';
import { isCluster } from './redis-client.js';
import type { WsRedisClient } from '../../options/redis.options.js';
import { bare, unanswered } from './redis-failures.js';
import { CONNECT_TIMEOUT } from './redis-settings.js';

/** Milliseconds for a connection to become ready; a server that loads its data is asked again. */
const PATIENCE = 10_000;
const CLOSING = 1_000;

/** Hears what becomes of a connection. */
export interface ConnectionListener<Client> {
  /** A fresh connection: nothing that was done on an earlier one holds. */
  up(client: Client): void;
  /** It is lost, or could not be opened. Another one is on its way. */
  down(why: Error): void;
}

/**
 * Keeps one connection open. A connection that is lost, or found to be dead, is thrown away with all that waits in it,
 * and another one is opened: soon after one that had been found good, then about once a second, for ever.
 */
export class RedisConnection<Client extends WsRedisClient> {
  readonly #backoff: Backoff;
  #client: Client | null = null;
  #failure: Error | null = null;
  /** Whether any connection has become ready. */
  #hasBeenUp = false;
  /** Opens the next connection, or gives up the present one. */
  #timer: RuntimeTimer | null = null;
  #isStopped = true;

  /** @param create makes a connection that has not been opened; null: there is nothing to connect to yet */
  constructor(
    private readonly create: () => Client | null,
    private readonly listener: ConnectionListener<Client>,
    private readonly runtime: Runtime,
  ) {
    this.#backoff = new Backoff(runtime, 50, 1_000);
  }

  start(): void {
    this.#isStopped = false;
    this.#open();
  }

  /** Closes the connection and opens no other; settles within a second. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const client = this.#take();
    if (!client) return;
    const ended = new Promise((resolve) => client.once('end', resolve));
    abandon(client);
    await this.runtime.waitFor(CLOSING, ended, () => new Error('It does not close.')).catch(() => {});
  }

  /**
   * A message has gone out and come back on the present connection: when it is lost, the next one is opened soon, however
   * short it lasted. To have been opened proves nothing: a server that drops everybody at once must not be stormed.
   */
  proven(): void {
    this.#backoff.reset();
  }

  /** The connection is dead, whatever ioredis says: opens another. */
  renew(why: Error): void {
    const client = this.#client;
    if (!client) return;
    this.#take();
    abandon(client);
    this.#openLater(why);
  }

  #open(): void {
    this.#timer = null;
    const client = this.create();
    if (!client) {
      this.#wait();
      return;
    }
    this.#client = client;
    this.#failure = null;
    client.on('error', (error: unknown) => {
      if (client === this.#client) this.#failure = bare(error);
    });
    client.once('ready', () => {
      if (client === this.#client) this.#up(client);
    });
    client.once('end', () => {
      if (client !== this.#client) return;
      this.#take();
      abandon(client);
      this.#openLater(this.#reasonOf(client));
    });
    this.#timer = this.runtime.timeout(PATIENCE, () => this.renew(new Error('The connection does not become ready.')));
    // 'end' tells when it fails.
    client.connect().catch(() => {});
  }

  #up(client: Client): void {
    this.#timer?.cancel();
    this.#hasBeenUp = true;
    this.listener.up(client);
  }

  /** Why a connection has ended. */
  #reasonOf(client: Client): Error {
    if (this.#hasBeenUp || isCluster(client)) return this.#failure ?? new Error('The connection was closed.');
    return unanswered(this.#failure, Boolean(client.options.tls), CONNECT_TIMEOUT);
  }

  #openLater(why: Error): void {
    if (this.#isStopped) return;
    this.#wait();
    this.listener.down(why);
  }

  #wait(): void {
    // As the connection would, its wait keeps the process alive: a worker that waits for Redis must not end.
    this.#timer = this.runtime.deadline(this.#backoff.next(), () => this.#open());
  }

  /** The present client, which is no longer ours: nothing that happens to it matters. */
  #take(): Client | null {
    this.#timer?.cancel();
    const client = this.#client;
    this.#client = null;
    return client;
  }
}
