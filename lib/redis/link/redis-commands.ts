import type { Cluster, Redis } from 'ioredis';
import type { Runtime } from '../../runtime/runtime.js';
import { Deadlines } from './deadlines.js';
import { isCluster } from './redis-client.js';
import type { WsRedisClient } from '../../options/redis.options.js';
import type { RedisClock } from './redis-clock.js';
import { RedisConnection, type ConnectionListener } from './redis-connection.js';
import {
  bare,
  InDoubtError,
  isInMotion,
  isMoved,
  isReadOnly,
  isReply,
  isTimeout,
  outOfStep,
  unavailable,
  unpublished,
} from './redis-failures.js';
import { nameOf, oneOf } from './redis-source.js';
import { WriteBatch } from './write-batch.js';

/** Milliseconds that Redis has to answer a call. */
const DEADLINE = 1_000;
/** Milliseconds of a call after which a command that a changing cluster refuses is not tried again. */
const RETRY_LIMIT = 600;
/** Milliseconds before the second attempt; doubled before each later one. */
const PAUSE = 25;

/** A call without an answer yet. */
interface Call {
  reject(error: Error): void;
}

/** Hears of the connection for commands. */
export interface CommandsListener extends ConnectionListener<WsRedisClient> {
  /**
   * The other connections are suspect, too: Redis left a call unanswered, so its messages may be held up, or it is no longer
   * a master.
   */
  suspect(why: Error): void;
}

/**
 * Commands with a time limit, behind a circuit breaker. The first call that Redis leaves unanswered for a second opens the
 * breaker: all waiting calls are rejected, later ones are rejected at once, and the connection is reset with all that it
 * holds, so that nothing is executed later when the network heals. A new connection that has answered closes the breaker.
 */
export class RedisCommands {
  readonly #connection: RedisConnection<WsRedisClient>;
  readonly #calls: Deadlines<Call>;
  readonly #batch: WriteBatch;
  /** Null while the breaker is open. */
  #client: WsRedisClient | null = null;
  /** The connection that publishes. In a cluster it is always the same node, so that messages stay in order. */
  #publisher: Redis | undefined;
  #failure: Error | null = null;
  /** Whether the last server was a replica, which answers, and takes no writes: the next one may be the same. */
  #isReadOnly = false;
  #isStopping = false;
  #drained: (() => void) | null = null;

  /**
   * @param create makes a connection that has not been opened
   * @param unusedKey a key that nobody writes
   */
  constructor(
    create: () => WsRedisClient,
    private readonly unusedKey: string,
    private readonly clock: RedisClock,
    private readonly listener: CommandsListener,
    private readonly runtime: Runtime,
  ) {
    const up = (client: WsRedisClient): void => void this.#try(client);
    this.#batch = new WriteBatch(runtime);
    this.#connection = new RedisConnection(create, { up, down: (why) => this.#lose(why) }, runtime);
    this.#calls = new Deadlines(runtime, DEADLINE, (overdue) => {
      const why = new Error(`Redis did not answer within ${DEADLINE} ms.`);
      for (const call of overdue) call.reject(new InDoubtError(why));
      this.#abandon(why);
    });
  }

  /** The present client; null while Redis cannot be reached. */
  get client(): WsRedisClient | null {
    return this.#client;
  }

  start(): void {
    this.#connection.start();
  }

  /** Lets open calls finish, takes no others, and closes the connection. Settles within 2 s. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#client = null;
    this.#failure = new Error('The connection was closed.');
    if (this.#calls.size > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
    await this.#connection.stop();
  }

  /** A probe came back: the connection works. */
  proven(): void {
    this.#connection.proven();
  }

  /** Replaces a dead connection, and opens the breaker. */
  renew(why: Error): void {
    this.#connection.renew(why);
  }

  /** @see RedisLink.run */
  run<T>(work: (client: WsRedisClient) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (!client) return Promise.reject(unavailable(this.#failure));
    return this.#within(() => (isCluster(client) ? this.#retry(client, work) : this.#batched(client, work)));
  }

  /** @see RedisLink.publish */
  publish(channel: string, payload: string | Buffer): Promise<unknown> {
    const publisher = this.#client && this.#publisherOf(this.#client);
    if (!publisher) return Promise.reject(unavailable(this.#failure));
    return this.#within(() => this.#batched(publisher, (redis) => redis.publish(channel, payload)), this.#unpublished);
  }

  /**
   * As {@link publish}, by sharded pub/sub at one node of the cluster.
   *
   * @param node `host:port`, as in the slots
   * @returns the number of receivers; null when the node is unknown or does not serve the slot, and nobody received it. It
   * is not repeated at the right node, because its subscribers may not have arrived there yet
   */
  async publishAt(node: string, channel: string, payload: string | Buffer): Promise<number | null> {
    const client = this.#client;
    if (!client || !isCluster(client)) throw unavailable(this.#failure);
    const publisher = client.nodes().find((one) => nameOf(one) === node);
    if (!publisher) return null;
    return this.#within(() => {
      this.#batch.hold(publisher);
      return publisher.spublish(channel, payload).then(Number, nullInMotion);
    });
  }

  /**
   * Whether a node of the cluster is the master of a key's slot. It is asked by a command with the key: a replica answers
   * MOVED, and every ACL that suits this library allows it.
   *
   * @param node `host:port`, as in the slots
   * @returns null when the node does not answer
   */
  async serves(node: string, key: string): Promise<boolean | null> {
    const client = this.#client;
    if (!client) return null;
    if (!isCluster(client)) return true;
    const asked = client.nodes().find((one) => nameOf(one) === node);
    // Unknown nodes may just have become replicas. At known replicas ioredis is in read-only mode, and they would answer.
    if (!asked || asked.options.readOnly) return false;
    const work = (): Promise<boolean> => {
      this.#batch.hold(asked);
      return asked.exists(key).then(
        () => true,
        (error: unknown) => {
          if (!isReply(error)) throw error;
          return !isMoved(error);
        },
      );
    };
    return this.#within(work).catch(() => null);
  }

  /** Makes ioredis read the slots of the cluster. */
  learnSlots(): void {
    if (this.#client && isCluster(this.#client)) this.#client.refreshSlotsCache();
  }

  /** Publishes at one of these nodes from now on; keeps the present one if it is among them. */
  stayWith(nodes: readonly Redis[]): void {
    if (!this.#publisher || !nodes.includes(this.#publisher)) this.#publisher = oneOf(nodes, this.runtime);
  }

  #batched<Client extends Redis, T>(redis: Client, work: (redis: Client) => Promise<T>): Promise<T> {
    this.#batch.hold(redis);
    return work(redis);
  }

  /** Repeats a command while its slot moves, which takes a moment and is no outage. */
  async #retry<T>(client: Cluster, work: (client: Cluster) => Promise<T>): Promise<T> {
    const begin = this.runtime.monotonic();
    for (let pause = PAUSE; ; pause *= 2) {
      try {
        // ioredis decides which of them get the commands.
        for (const node of client.nodes('master')) this.#batch.hold(node);
        return await work(client);
      } catch (error) {
        const isOver = client !== this.#client || this.runtime.monotonic() - begin + pause > RETRY_LIMIT;
        if (isOver || !isInMotion(error)) throw error;
      }
      await new Promise<void>((resolve) => this.runtime.timeout(pause, resolve));
    }
  }

  #publisherOf(client: WsRedisClient): Redis | undefined {
    if (!isCluster(client)) return client;
    if (!this.#publisher || this.#publisher.status === 'end')
      this.#publisher = oneOf(client.nodes('master'), this.runtime);
    return this.#publisher;
  }

  /**
   * Settles as `work` does, or rejects when the time is over.
   *
   * @param judge makes the error from the failure of `work`
   */
  #within<T>(work: () => Promise<T>, judge: (error: unknown) => Error = this.#judge): Promise<T> {
    const answer = this.#begin(work);
    return new Promise((resolve, reject) => {
      const call: Call = { reject };
      this.#calls.add(call);
      answer.then(
        (value) => {
          if (this.#finish(call)) resolve(value);
        },
        (error: unknown) => {
          if (this.#finish(call)) reject(judge(error));
        },
      );
    });
  }

  #begin<T>(work: () => Promise<T>): Promise<T> {
    try {
      return work();
    } catch (error) {
      return Promise.reject(bare(error));
    }
  }

  /** @returns false when the call was rejected before */
  #finish(call: Call): boolean {
    const wasWaiting = this.#calls.delete(call);
    if (this.#calls.size === 0) this.#drained?.();
    return wasWaiting;
  }

  readonly #judge = (error: unknown): Error => {
    if (isTimeout(error)) this.#abandon(bare(error));
    // After a failover connections to the old master stay open, although the address leads to the new one.
    if (isReadOnly(error)) {
      this.#isReadOnly = true;
      this.#abandon(bare(error));
      return unavailable(bare(error));
    }
    if (isInMotion(error)) {
      this.learnSlots();
      return unavailable(error as Error);
    }
    return isReply(error) ? (error as Error) : new InDoubtError(bare(error));
  };

  readonly #unpublished = (error: unknown): Error => unpublished(this.#judge(error));

  #abandon(why: Error): void {
    this.renew(why);
    this.listener.suspect(why);
  }

  /**
   * Closes the breaker once the new connection has answered TIME; a connection alone proves nothing. After a replica it has to take a
   * write, too, since a probe passes there.
   */
  async #try(client: WsRedisClient): Promise<void> {
    this.clock.forget();
    const sentAt = this.runtime.monotonic();
    try {
      const time = await this.#unlessRefused(() => client.time());
      if (time !== undefined && !this.clock.learn(sentAt, time)) throw outOfStep();
      if (this.#isReadOnly && !isCluster(client)) await this.#unlessRefused(() => client.del(this.unusedKey));
    } catch (error) {
      this.renew(bare(error));
      return;
    }
    this.#isReadOnly = false;
    if (this.#isStopping) return;
    this.#client = client;
    this.#publisher = undefined;
    this.listener.up(client);
  }

  /** Undefined where Redis refuses the command, by an ACL, say: it has answered. */
  #unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
    return this.#within(work).catch((error: unknown) => {
      if (!isReply(error)) throw error;
      return undefined;
    });
  }

  #lose(why: Error): void {
    this.#failure = why;
    this.#client = null;
    for (const call of this.#calls.takeAll()) call.reject(new InDoubtError(why));
    this.#drained?.();
    this.listener.down(why);
  }
}

function nullInMotion(error: unknown): null {
  if (isInMotion(error)) return null;
  throw error;
}
