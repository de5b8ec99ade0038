import type { Redis } from 'ioredis';
import { WsError } from '../../errors/ws.error.js';
import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';
import { RefusedChannels } from './refused-channels.js';
import type { ChannelSubscriptions, MessageListener } from './channel-subscriptions.interface.js';
import { Deadlines } from '../link/deadlines.js';
import type { PubSub, Refusal } from './pub-sub.js';
import { RedisConnection, type ConnectionListener } from '../link/redis-connection.js';
import { bare, isReply, unavailable } from '../link/redis-failures.js';
import { SubscriptionLedger, type SubscriptionBatch } from './subscription-ledger.js';
import { Waiters } from '../link/waiters.js';

/** Milliseconds that a channel may take to become live. */
const DEADLINE = 1_000;
/** Milliseconds for which a channel that nobody wants any more stays subscribed. */
const LINGER = 1_000;
/** Channels of one command. */
const BATCH = 1_000;

/** Milliseconds until a channel that another node serves is tried again, unless it is wanted there by then. */
const ELSEWHERE = 100;

/** What {@link RedisSubscriptions} tell. `up`: all that was wanted when the connection was opened has been answered. */
export interface SubscriptionsListener extends ConnectionListener<Redis> {
  message: MessageListener;
  /** Redis does not allow a channel; it is tried again later. `isFirst`: no other is refused at present. */
  refused(why: Error, channel: string, isFirst: boolean): void;
  /** Redis has confirmed these. */
  live?(channels: readonly string[]): void;
  /** Slots have gone to other nodes: these channels are not heard here any more. */
  moved?(channels: readonly string[]): void;
  /** Redis allows all of them now. */
  allowed(): void;
}

/**
 * Subscriptions by one connection. What is wanted and what is live are compared, the difference is sent as one batch, and
 * its reply leads to the next comparison: no order of calls and replies can leave them apart.
 */
export class RedisSubscriptions implements ChannelSubscriptions {
  readonly #connection: RedisConnection<Redis>;
  readonly #ledger = new SubscriptionLedger();
  readonly #lingering: Deadlines<string>;
  readonly #waiters: Waiters;
  readonly #bars: RefusedChannels;
  readonly #patterns = new Set<string>();
  /** Null: there is no connection. */
  #client: Redis | null = null;
  #isUp = false;
  #failure: Error | null = null;
  /** Whether a comparison is going to be made. */
  #isDue = false;
  /** Whether a batch is under way. */
  #isBusy = false;
  #isRefused = false;
  #batchSize = BATCH;
  /** Whether Redis has ended subscriptions by itself, since their slots are elsewhere now. */
  #isDoubtful = false;
  readonly #elsewhere = new Set<string>();
  #elsewhereTimer: RuntimeTimer | null = null;
  /** The channel of the last message, unless it came by a pattern. */
  #lastChannel: string | null = null;

  /** @param create makes a connection that has not been opened; null: there is nothing to connect to yet */
  constructor(
    create: () => Redis | null,
    private readonly pubSub: PubSub,
    private readonly listener: SubscriptionsListener,
    private readonly runtime: Runtime,
  ) {
    const up = (client: Redis): void => this.#begin(client);
    this.#connection = new RedisConnection(create, { up, down: (why) => this.#lose(why) }, runtime);
    this.#bars = new RefusedChannels(runtime, (channels) => {
      this.#ledger.retry(channels);
      this.#turn();
    });
    this.#lingering = new Deadlines(runtime, LINGER, (channels) => {
      this.#ledger.drop(channels);
      this.#turn();
    });
    this.#waiters = new Waiters(runtime, DEADLINE, () => {
      return new WsError('TIMEOUT', 'Redis did not confirm the subscription in time.');
    });
  }

  acquire(channel: string): Promise<void> | undefined {
    const isLive = this.#ledger.isLive(channel);
    const isHopeless = !this.#isUp || this.#bars.has(channel);
    if (!isLive && isHopeless) return Promise.reject(unavailable(this.#failure));
    this.want(channel);
    if (isLive) return undefined;
    return this.#waiters.wait(channel).catch((error: unknown) => {
      this.release(channel);
      throw error;
    });
  }

  want(channel: string): void {
    this.#lingering.delete(channel);
    this.#ledger.want(channel);
    if (this.#isDue) return;
    // All channels of one turn of the event loop become one batch.
    this.#isDue = true;
    this.runtime.afterIo(() => {
      this.#isDue = false;
      this.#turn();
    });
  }

  release(channel: string): void {
    if (!this.#ledger.release(channel)) return;
    this.#bars.delete(channel);
    this.#elsewhere.delete(channel);
    if (this.#ledger.isLive(channel)) this.#lingering.add(channel);
  }

  acquirePattern(pattern: string): Promise<void> | undefined {
    this.wantPattern(pattern);
    return this.acquire(pattern);
  }

  wantPattern(pattern: string): void {
    if (!this.#patterns.has(pattern)) this.want(pattern);
    this.#patterns.add(pattern);
  }

  isLive(channel: string): boolean {
    return this.#ledger.isLive(channel);
  }

  get counts(): { readonly wanted: number; readonly live: number } {
    return this.#ledger.counts;
  }

  /** Whether Redis has refused the channel of late. */
  isBarred(channel: string): boolean {
    return this.#bars.has(channel);
  }

  /** The connection of this moment; null: there is none. */
  get client(): Redis | null {
    return this.#client;
  }

  /** Whether there is a connection on which all that was wanted has been answered. */
  get isUp(): boolean {
    return this.#isUp;
  }

  start(): void {
    this.#connection.start();
  }

  /** Closes the connection; settles within a second. */
  async stop(): Promise<void> {
    this.#lingering.takeAll();
    this.#bars.stop();
    this.#elsewhereTimer?.cancel();
    if (this.#isRefused) this.listener.allowed();
    this.#lose(new Error('The connection was closed.'));
    await this.#connection.stop();
  }

  /** A probe came back. */
  proven(): void {
    this.#connection.proven();
  }

  /** The connection is dead, whatever it says: opens another. */
  renew(why: Error): void {
    this.#connection.renew(why);
  }

  /** All connections are in doubt; here there is one. */
  renewAll(why: Error): void {
    this.renew(why);
  }

  #begin(client: Redis): void {
    client.on(this.pubSub.event, (channel: Buffer, payload: Buffer) => {
      this.#lastChannel = channel.toString();
      this.listener.message(this.#lastChannel, payload);
    });
    client.on('pmessageBuffer', (_pattern: unknown, channel: Buffer, payload: Buffer) => {
      const name = channel.toString();
      // Who has a channel and a pattern that fits it gets two copies, that by the pattern right after the other.
      if (name !== this.#lastChannel) this.listener.message(name, payload);
      this.#lastChannel = null;
    });
    // A slot has gone to another node, and with it channels that this connection believes to hear. Which, nobody tells.
    client.on('moved', () => {
      this.#isDoubtful = true;
      this.#turn();
    });
    this.#client = client;
    this.#isBusy = this.#isDoubtful = false;
    this.#lastChannel = null;
    this.#turn();
  }

  #lose(why: Error): void {
    this.#client = null;
    this.#isUp = false;
    this.#failure = why;
    this.#elsewhere.clear();
    this.#ledger.reset();
    this.#waiters.rejectAll(unavailable(why));
    this.listener.down(why);
  }

  /** Compares what is wanted with what is live. */
  #turn(): void {
    const client = this.#client;
    if (!client || this.#isBusy) return;
    if (this.#isDoubtful) this.#ledger.doubt();
    this.#isDoubtful = false;
    const batch = this.#ledger.next(this.#batchSize);
    if (batch) {
      this.#isBusy = true;
      void this.#carryOut(client, batch);
      return;
    }
    this.#bars.settle();
    if (this.#isRefused && this.#bars.isEmpty) {
      this.#isRefused = false;
      this.listener.allowed();
    }
    if (this.#isUp) return;
    this.#isUp = true;
    this.listener.up(client);
  }

  async #carryOut(client: Redis, batch: SubscriptionBatch): Promise<void> {
    const outcome = await this.#send(client, batch);
    // Whatever became of it, the connection that followed began anew.
    if (client !== this.#client) return;
    this.#isBusy = false;
    if ('failure' in outcome && !isReply(outcome.failure)) {
      this.renew(bare(outcome.failure));
      return;
    }
    if (batch.verb === 'subscribe') {
      if ('failure' in outcome) this.#refused(batch.channels, bare(outcome.failure));
      else this.#settle(batch.channels, outcome.refusals);
    }
    this.#turn();
  }

  /** @returns those that Redis refuses, or what all of it failed with */
  async #send(
    client: Redis,
    { verb, channels }: SubscriptionBatch,
  ): Promise<{ refusals: readonly Refusal[] } | { failure: unknown }> {
    const names = channels.filter((channel) => !this.#patterns.has(channel));
    try {
      if (names.length < channels.length) {
        await client.psubscribe(...channels.filter((channel) => this.#patterns.has(channel)));
      }
      if (names.length === 0) return { refusals: [] };
      if (verb === 'subscribe') return { refusals: await this.pubSub.subscribe(client, names) };
      await this.pubSub.unsubscribe(client, names);
      return { refusals: [] };
    } catch (failure) {
      return { failure };
    }
  }

  #settle(channels: readonly string[], refusals: readonly Refusal[]): void {
    const refused = new Set(refusals.map(({ channel }) => channel));
    this.#confirmed(refused.size > 0 ? channels.filter((channel) => !refused.has(channel)) : channels);
    for (const { channel, why } of refusals) if (why !== null) this.#refused([channel], bare(why));
    const moved = refusals.filter(({ why }) => why === null).map(({ channel }) => channel);
    if (moved.length > 0) this.#missAll(moved);
  }

  /** Another node serves these channels. Until they are wanted there they are tried here. */
  #missAll(channels: readonly string[]): void {
    for (const channel of channels) {
      this.#ledger.lose(channel);
      this.#elsewhere.add(channel);
    }
    this.#elsewhereTimer ??= this.runtime.timeout(ELSEWHERE, () => {
      this.#elsewhereTimer = null;
      this.#ledger.retry(this.#elsewhere);
      this.#elsewhere.clear();
      this.#turn();
    });
    this.listener.moved?.(channels);
  }

  #confirmed(channels: readonly string[]): void {
    this.#batchSize = Math.min(BATCH, this.#batchSize * 2);
    this.#lastChannel = null;
    this.#ledger.confirm(channels);
    for (const channel of channels) {
      this.#bars.delete(channel);
      this.#waiters.resolve(channel);
    }
    this.listener.live?.(channels);
  }

  /** One channel that is not allowed makes Redis refuse all of its command: finds it by halves. */
  #refused(channels: readonly string[], why: Error): void {
    const [channel] = channels;
    if (channels.length > 1 || channel === undefined) {
      this.#batchSize = Math.ceil(channels.length / 2);
      this.#ledger.retry(channels);
      return;
    }
    this.#failure = why;
    this.#ledger.lose(channel);
    this.#waiters.reject(channel, unavailable(why));
    this.listener.refused(why, channel, this.#bars.add(channel));
    this.#isRefused = true;
  }
}
