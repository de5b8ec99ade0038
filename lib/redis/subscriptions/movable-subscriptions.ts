import type { Redis } from 'ioredis';
import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';
import type { ChannelSubscriptions } from './channel-subscriptions.interface.js';
import { ConnectionCopies } from './message-copies.js';
import { CLASSIC } from './pub-sub.js';
import { RedisSubscriptions, type SubscriptionsListener } from './redis-subscriptions.js';

/** Milliseconds before the new connection is opened. Copies that arrive on it up to this much later are recognised. */
const LAG = 500;
/** Milliseconds during which both connections are used: earlier messages are still on their way by the old one. */
const OVERLAP = 1_000;
/** Milliseconds for the new connection to become ready; after that it is given up. */
const SUCCESSOR_TIMEOUT = 5_000;

/** The subscriptions that will replace the present ones. */
interface Successor {
  readonly subscriptions: RedisSubscriptions;
  readonly timer: RuntimeTimer;
  readonly copies: ConnectionCopies;
}

/**
 * Subscriptions at one node of a Redis Cluster, which can move to another node without losing a message: the new connection
 * subscribes to everything before the old one is closed, and messages that both deliver are taken once.
 */
export class MovableSubscriptions implements ChannelSubscriptions {
  #present: RedisSubscriptions;
  #successor: Successor | null = null;
  /** The messages of the former connection, as long as copies of them may arrive. */
  #formerCopies: ConnectionCopies | null = null;
  #forget: RuntimeTimer | null = null;
  readonly #wanted = new Map<string, number>();
  readonly #patterns = new Set<string>();

  /** @param create makes an unopened connection to one of the nodes; null when there is nothing to connect to yet */
  constructor(
    private readonly create: () => Redis | null,
    private readonly listener: SubscriptionsListener,
    private readonly runtime: Runtime,
  ) {
    this.#present = this.#make();
  }

  acquire(channel: string): Promise<void> | undefined {
    const present = this.#present;
    const live = present.acquire(channel);
    this.#count(channel, 1);
    this.#successor?.subscriptions.want(channel);
    return live?.catch((error: unknown) => {
      this.#count(channel, -1);
      if (this.#present === present) this.#successor?.subscriptions.release(channel);
      else this.#present.release(channel);
      // The connection was closed because its successor has replaced it.
      if (this.#present !== present) return this.acquire(channel);
      throw error;
    });
  }

  want(channel: string): void {
    this.#count(channel, 1);
    this.#present.want(channel);
    this.#successor?.subscriptions.want(channel);
  }

  release(channel: string): void {
    this.#count(channel, -1);
    this.#present.release(channel);
    this.#successor?.subscriptions.release(channel);
  }

  acquirePattern(pattern: string): Promise<void> | undefined {
    this.wantPattern(pattern);
    return this.#present.acquirePattern(pattern);
  }

  wantPattern(pattern: string): void {
    this.#patterns.add(pattern);
    this.#present.wantPattern(pattern);
    this.#successor?.subscriptions.wantPattern(pattern);
  }

  isLive(channel: string): boolean {
    return this.#present.isLive(channel);
  }

  get counts(): { readonly wanted: number; readonly live: number } {
    return this.#present.counts;
  }

  get isUp(): boolean {
    return this.#present.isUp;
  }

  start(): void {
    this.#present.start();
  }

  async stop(): Promise<void> {
    this.#forget?.cancel();
    await Promise.all([this.#giveUp(), this.#present.stop()]);
  }

  /** A probe came back: the connection works. */
  proven(): void {
    this.#present.proven();
  }

  renew(why: Error): void {
    this.#present.renew(why);
  }

  /** Replaces all connections, of which there is one. */
  renewAll(why: Error): void {
    this.renew(why);
  }

  /** Moves to another node, unless the present one passes the test. */
  stayWith(isOneOfThem: (node: Redis) => boolean): void {
    const { client } = this.#present;
    // Only one move at a time.
    if (this.#successor || this.#formerCopies || !client || isOneOfThem(client)) return;
    const subscriptions = this.#make();
    const timer = this.runtime.timeout(LAG, () => this.#open(subscriptions));
    this.#successor = { subscriptions, timer, copies: new ConnectionCopies() };
    for (const [channel, count] of this.#wanted) {
      for (let holder = 0; holder < count; holder++) subscriptions.want(channel);
    }
    for (const pattern of this.#patterns) subscriptions.wantPattern(pattern);
  }

  #open(subscriptions: RedisSubscriptions): void {
    if (this.#successor?.subscriptions !== subscriptions) return;
    const timer = this.runtime.timeout(SUCCESSOR_TIMEOUT, () => void this.#giveUp());
    this.#successor = { ...this.#successor, timer };
    subscriptions.start();
  }

  #make(): RedisSubscriptions {
    const { listener } = this;
    const made: RedisSubscriptions = new RedisSubscriptions(
      this.create,
      CLASSIC,
      {
        up: (client) => {
          const successor = this.#successor;
          if (made === successor?.subscriptions) {
            if (this.#present.isUp) this.#overlap(successor);
            // The present connection was lost meanwhile, so no overlap is needed.
            else this.#replace(successor);
          }
          if (made === this.#present) listener.up(client);
        },
        down: (why) => {
          if (made !== this.#present) return;
          if (this.#successor?.subscriptions.isUp) this.#replace(this.#successor);
          else listener.down(why);
        },
        message: (channel, payload) => {
          if (this.#isFirst(made, channel, payload)) listener.message(channel, payload);
        },
        refused: (why, channel, isFirst) => {
          if (made === this.#present) listener.refused(why, channel, isFirst);
        },
        allowed: () => listener.allowed(),
      },
      this.runtime,
    );
    return made;
  }

  #isFirst(from: RedisSubscriptions, channel: string, payload: Buffer): boolean {
    const successor = this.#successor;
    if (from === this.#present) {
      if (successor) return successor.copies.isFirst('old', channel, payload);
      return this.#formerCopies?.isFirst('new', channel, payload) ?? true;
    }
    return from === successor?.subscriptions && successor.copies.isFirst('new', channel, payload);
  }

  #overlap(successor: Successor): void {
    successor.timer.cancel();
    this.#successor = { ...successor, timer: this.runtime.timeout(OVERLAP, () => this.#replace(successor)) };
  }

  #replace({ subscriptions, copies }: Successor): void {
    this.#successor?.timer.cancel();
    this.#successor = null;
    this.#formerCopies = copies;
    this.#forget = this.runtime.timeout(OVERLAP, () => (this.#formerCopies = null));
    const former = this.#present;
    this.#present = subscriptions;
    void former.stop();
  }

  async #giveUp(): Promise<void> {
    const successor = this.#successor;
    this.#successor = null;
    successor?.timer.cancel();
    await successor?.subscriptions.stop();
  }

  #count(channel: string, step: 1 | -1): void {
    const count = (this.#wanted.get(channel) ?? 0) + step;
    if (count > 0) this.#wanted.set(channel, count);
    else this.#wanted.delete(channel);
  }
}
