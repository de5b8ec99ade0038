import { NEUTRAL_SCOPE } from '../../runtime/neutral-scope.js';
import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';
import { abandon } from './abandon.js';
import { Backoff } from './backoff.js';
import { isCluster } from './redis-client.js';
import type { WsRedisClient } from '../../options/redis.options.js';
import { bare, unanswered } from './redis-failures.js';
import { CONNECT_TIMEOUT } from './redis-settings.js';

/** Milliseconds for a connection to become ready, including the time in which a server loads its data. */
const READY_TIMEOUT = 10_000;
/** Milliseconds for a connection to close. */
const CLOSE_TIMEOUT = 1_000;

/** Hears of a connection. */
export interface ConnectionListener<Client> {
  /** A new connection is ready. */
  up(client: Client): void;
  /** The connection was lost, or could not be opened. Another attempt follows. */
  down(why: Error): void;
}

/**
 * Keeps one connection open. A lost or dead connection is abandoned with everything that waits in it, and another one is
 * opened: soon after one that had worked, then about once a second, without end.
 */
export class RedisConnection<Client extends WsRedisClient> {
  readonly #backoff: Backoff;
  #client: Client | null = null;
  #failure: Error | null = null;
  /** Whether any connection has become ready. */
  #hasBeenUp = false;
  /** Opens the next connection, or gives up opening the present one. */
  #timer: RuntimeTimer | null = null;
  #isStopped = true;

  /** @param create makes an unopened connection; null when there is nothing to connect to yet */
  constructor(
    private readonly create: () => Client | null,
    private readonly listener: ConnectionListener<Client>,
    private readonly runtime: Runtime,
  ) {
    this.#backoff = new Backoff(runtime, 50, 1_000);
  }

  start(): void {
    this.#isStopped = false;
    // What arrives by it must not be handled in the async scope of whatever has started the application.
    NEUTRAL_SCOPE.runInAsyncScope(() => this.#open());
  }

  /** Closes the connection and opens no other; settles within a second. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const client = this.#take();
    if (!client) return;
    const ended = new Promise((resolve) => client.once('end', resolve));
    abandon(client);
    await this.runtime.waitFor(CLOSE_TIMEOUT, ended, () => new Error('It does not close.')).catch(() => {});
  }

  /**
   * A message has gone out and come back on this connection, so the next one may be opened soon. A connection that was only
   * opened proves nothing: a server that drops every connection at once must not be stormed.
   */
  proven(): void {
    this.#backoff.reset();
  }

  /** Replaces a connection that is dead, although ioredis may not have noticed. */
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
    this.#timer = this.runtime.timeout(READY_TIMEOUT, () =>
      this.renew(new Error('The connection does not become ready.')),
    );
    // A failure also emits 'end'.
    client.connect().catch(() => {});
  }

  #up(client: Client): void {
    this.#timer?.cancel();
    this.#hasBeenUp = true;
    this.listener.up(client);
  }

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
    // A `deadline` keeps the process alive, as a connection would: a worker that waits for Redis must not exit.
    this.#timer = this.runtime.deadline(this.#backoff.next(), () => this.#open());
  }

  /** Detaches and returns the present client, whose events are ignored from now on. */
  #take(): Client | null {
    this.#timer?.cancel();
    const client = this.#client;
    this.#client = null;
    return client;
  }
}
