import type { Cluster, Redis } from 'ioredis';
import type { Runtime } from '../../runtime/runtime.js';
import { Deadlines } from './deadlines.js';
import { isCluster } from './redis-client.js';
import type { WsRedisClient } from '../../options/redis.options.js';
import type { RedisClock } from './redis-clock.js';
import { RedisConnection, type ConnectionListener } from './redis-connection.js';
import {
  bare,
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
/** Milliseconds of a call after which what a changing cluster refuses is not tried again. */
const PERSISTENCE = 600;
/** Milliseconds until the second attempt; each later one takes twice as long. */
const PAUSE = 25;

/** A call that waits for Redis' answer. */
interface Call {
  reject(error: Error): void;
}

/** Hears what becomes of the connection. */
export interface CommandsListener extends ConnectionListener<WsRedisClient> {
  /**
   * Other connections are in doubt too: Redis has left a call unanswered, so that what it has sent to them may be held up,
   * or it is no master any more.
   */
  doubt(why: Error): void;
}

/**
 * Commands that settle in time, behind a breaker. The first call that Redis leaves unanswered for a second opens it: that
 * one and all others that wait are rejected, later ones are rejected at once, and the connection is thrown away with what
 * it holds, so that nothing of it is carried out once the network has healed. A new connection that has answered closes it.
 */
export class RedisCommands {
  readonly #connection: RedisConnection<WsRedisClient>;
  readonly #calls: Deadlines<Call>;
  readonly #batch: WriteBatch;
  /** Null: the breaker is open. */
  #client: WsRedisClient | null = null;
  /** Where messages are published: of a cluster always the same node, so that they stay in order. */
  #publisher: Redis | undefined;
  #failure: Error | null = null;
  #isStopping = false;
  #drained: (() => void) | null = null;

  /** @param create makes a connection that has not been opened */
  constructor(
    create: () => WsRedisClient,
    private readonly clock: RedisClock,
    private readonly listener: CommandsListener,
    private readonly runtime: Runtime,
  ) {
    const up = (client: WsRedisClient): void => void this.#try(client);
    this.#batch = new WriteBatch(runtime);
    this.#connection = new RedisConnection(create, { up, down: (why) => this.#lose(why) }, runtime);
    this.#calls = new Deadlines(runtime, DEADLINE, (overdue) => {
      const why = new Error(`Redis did not answer within ${DEADLINE} ms.`);
      for (const call of overdue) call.reject(unavailable(why));
      this.#abandon(why);
    });
  }

  /** The client of this moment; null while Redis cannot be reached. */
  get client(): WsRedisClient | null {
    return this.#client;
  }

  start(): void {
    this.#connection.start();
  }

  /** Lets the calls that wait finish, takes no other, and closes the connection. Settles within 2 s. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#client = null;
    this.#failure = new Error('The connection was closed.');
    if (this.#calls.size > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
    await this.#connection.stop();
  }

  /** A probe came back. */
  proven(): void {
    this.#connection.proven();
  }

  /** The connection is dead: opens the breaker. */
  renew(why: Error): void {
    this.#connection.renew(why);
  }

  /** @see RedisLink.run */
  run<T>(work: (client: WsRedisClient) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (!client) return Promise.reject(unavailable(this.#failure));
    return this.#within(() => (isCluster(client) ? this.#persist(client, work) : this.#batched(client, work)));
  }

  /** @see RedisLink.publish */
  publish(channel: string, payload: string | Buffer): Promise<unknown> {
    const publisher = this.#client && this.#publisherOf(this.#client);
    if (!publisher) return Promise.reject(unavailable(this.#failure));
    return this.#within(() => this.#batched(publisher, (redis) => redis.publish(channel, payload)), this.#unpublished);
  }

  /**
   * As {@link publish}, by sharded pub/sub: to one node of the cluster, and no further.
   *
   * @param node as its slots call it
   * @returns how many heard it there; null: the node is not known or does not serve the slot, and nobody has heard it.
   * It is not repeated at the node that does: its subscribers may be on their way there
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
   * Whether a node of the cluster is the master of a key's slot. A replica tells by a command that names a key, and by no
   * other way that every ACL of ours allows.
   *
   * @param node as its slots call it
   * @returns null: nobody answers at the moment
   */
  async serves(node: string, key: string): Promise<boolean | null> {
    const client = this.#client;
    if (!client) return null;
    if (!isCluster(client)) return true;
    const asked = client.nodes().find((one) => nameOf(one) === node);
    // One that has just become a replica may be named by nobody. By one that is known as such ioredis reads.
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

  /** Asks the cluster which node serves which slot, unless that is being asked already. */
  learnSlots(): void {
    if (this.#client && isCluster(this.#client)) this.#client.refreshSlotsCache();
  }

  /** Publishes by one of these nodes of a cluster from now on, by the present one if it is among them. */
  stayWith(nodes: readonly Redis[]): void {
    if (!this.#publisher || !nodes.includes(this.#publisher)) this.#publisher = oneOf(nodes, this.runtime);
  }

  #batched<Client extends Redis, T>(redis: Client, work: (redis: Client) => Promise<T>): Promise<T> {
    this.#batch.hold(redis);
    return work(redis);
  }

  /** Again and again while a slot moves: that is no outage, and over in a moment. */
  async #persist<T>(client: Cluster, work: (client: Cluster) => Promise<T>): Promise<T> {
    const begin = this.runtime.monotonic();
    for (let pause = PAUSE; ; pause *= 2) {
      try {
        // Nobody knows to which of them the commands go.
        for (const node of client.nodes('master')) this.#batch.hold(node);
        return await work(client);
      } catch (error) {
        const isOver = client !== this.#client || this.runtime.monotonic() - begin + pause > PERSISTENCE;
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
   * What `work` settles with, if that is in time.
   *
   * @param judge makes the error of a failure
   */
  #within<T>(work: () => Promise<T>, judge: (error: unknown) => Error = this.#judge): Promise<T> {
    const answer = this.#begin(work);
    return new Promise((resolve, reject) => {
      const call: Call = { reject };
      this.#calls.add(call);
      answer.then(
        (value) => {
          if (this.#isOver(call)) resolve(value);
        },
        (error: unknown) => {
          if (this.#isOver(call)) reject(judge(error));
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

  /** False: the call was rejected before, and what becomes of it is no news. */
  #isOver(call: Call): boolean {
    const wasWaiting = this.#calls.delete(call);
    if (this.#calls.size === 0) this.#drained?.();
    return wasWaiting;
  }

  readonly #judge = (error: unknown): Error => {
    if (isTimeout(error)) this.#abandon(bare(error));
    // After a failover the address leads elsewhere, but nobody ends the connections to who was the master.
    if (isReadOnly(error)) {
      this.#abandon(bare(error));
      return unavailable(bare(error));
    }
    if (isInMotion(error)) {
      this.learnSlots();
      return unavailable(error as Error);
    }
    return isReply(error) ? (error as Error) : unavailable(bare(error));
  };

  readonly #unpublished = (error: unknown): Error => unpublished(this.#judge(error));

  #abandon(why: Error): void {
    this.renew(why);
    this.listener.doubt(why);
  }

  /** The breaker is closed by an answer: a connection alone proves nothing. */
  async #try(client: WsRedisClient): Promise<void> {
    this.clock.forget();
    const sentAt = this.runtime.monotonic();
    try {
      if (!this.clock.learn(sentAt, await this.#within(() => client.time()))) throw outOfStep();
    } catch (error) {
      if (!isReply(error)) {
        this.renew(bare(error));
        return;
      }
    }
    if (this.#isStopping) return;
    this.#client = client;
    this.#publisher = undefined;
    this.listener.up(client);
  }

  #lose(why: Error): void {
    this.#failure = why;
    this.#client = null;
    for (const call of this.#calls.takeAll()) call.reject(unavailable(why));
    this.#drained?.();
    this.listener.down(why);
  }
}

function nullInMotion(error: unknown): null {
  if (isInMotion(error)) return null;
  throw error;
}
