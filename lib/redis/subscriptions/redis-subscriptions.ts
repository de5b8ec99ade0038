import type { Redis } from 'ioredis';
import { WsError } from '../../errors/ws.error.js';
import type { Runtime } from '../../runtime/runtime.js';
import { RefusedChannels } from './refused-channels.js';
import type { ChannelSubscriptions, MessageListener } from './channel-subscriptions.interface.js';
import { Backoff } from '../link/backoff.js';
import { Deadlines } from '../link/deadlines.js';
import { PatternCopies } from './message-copies.js';
import type { PubSub, Refusal } from './pub-sub.js';
import { RedisConnection, type ConnectionListener } from '../link/redis-connection.js';
import { bare, isReply, unavailable } from '../link/redis-failures.js';
import { SubscriptionLedger, type SubscriptionBatch } from './subscription-ledger.js';
import { Waiters } from '../link/waiters.js';

/** Milliseconds that a channel may take to become live. */
const DEADLINE = 1_000;
/** Milliseconds for which a channel stays subscribed after it was released. */
const LINGER = 1_000;
/** Channels per command. */
const BATCH = 1_000;
/** The limits of the first and of any later delay (ms) before refused channels are tried again. */
const REFUSED_DELAYS = [1_000, 10_000] as const;
/** The same for channels whose slot another node serves. */
const MOVED_DELAYS = [100, 100] as const;

/** Hears of subscriptions. `up` means that Redis has answered for all channels that were wanted at the connection's start. */
export interface SubscriptionsListener extends ConnectionListener<Redis> {
  message: MessageListener;
  /** Redis refused a channel, which is tried again later. `isFirst`: no other channel is refused at present. */
  refused(why: Error, channel: string, isFirst: boolean): void;
  /** Redis has confirmed these channels. */
  live?(channels: readonly string[]): void;
  /** The slots of these channels are at other nodes; the channels are not live here. */
  moved?(channels: readonly string[]): void;
  /** Redis allows all channels again. */
  allowed(): void;
}

/**
 * Subscriptions over one connection. They are reconciled: wanted and live channels are compared, the difference is sent as one
 * batch, and its reply leads to the next comparison. So no order of calls and replies can leave the two apart.
 */
export class RedisSubscriptions implements ChannelSubscriptions {
  readonly #connection: RedisConnection<Redis>;
  readonly #ledger = new SubscriptionLedger();
  readonly #lingering: Deadlines<string>;
  readonly #waiters: Waiters;
  /** Channels that Redis refused. */
  readonly #refused: RefusedChannels;
  /** Channels whose slot another node serves. */
  readonly #moved: RefusedChannels;
  readonly #patterns = new Set<string>();
  #client: Redis | null = null;
  #isUp = false;
  #failure: Error | null = null;
  /** Whether a comparison is scheduled. */
  #isDue = false;
  /** Whether a batch waits for its reply. */
  #isBusy = false;
  #hasRefusals = false;
  #batchSize = BATCH;
  /** Whether Redis has ended some subscriptions because their slots have moved. */
  #isSuspect = false;
  readonly #copies = new PatternCopies();

  /** @param create makes an unopened connection; null when there is nothing to connect to yet */
  constructor(
    create: () => Redis | null,
    private readonly pubSub: PubSub,
    private readonly listener: SubscriptionsListener,
    private readonly runtime: Runtime,
  ) {
    const up = (client: Redis): void => this.#begin(client);
    this.#connection = new RedisConnection(create, { up, down: (why) => this.#lose(why) }, runtime);
    const retry = (channels: readonly string[]): void => {
      this.#ledger.retry(channels);
      this.#reconcile();
    };
    this.#refused = new RefusedChannels(runtime, new Backoff(runtime, ...REFUSED_DELAYS), retry);
    this.#moved = new RefusedChannels(runtime, new Backoff(runtime, ...MOVED_DELAYS), retry);
    this.#lingering = new Deadlines(runtime, LINGER, (channels) => {
      this.#ledger.drop(channels);
      this.#reconcile();
    });
    this.#waiters = new Waiters(runtime, DEADLINE, () => {
      return new WsError('TIMEOUT', 'Redis did not confirm the subscription in time.');
    });
  }

  acquire(channel: string): Promise<void> | undefined {
    const isLive = this.#ledger.isLive(channel);
    const isHopeless = !this.#isUp || this.#refused.has(channel);
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
      this.#reconcile();
    });
  }

  release(channel: string): void {
    if (!this.#ledger.release(channel)) return;
    this.#refused.delete(channel);
    this.#moved.delete(channel);
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

  /** Whether Redis refused the channel, and it was not tried again yet. */
  isRefused(channel: string): boolean {
    return this.#refused.has(channel);
  }

  /** The present connection; null when there is none. */
  get client(): Redis | null {
    return this.#client;
  }

  /** Whether there is a connection, and Redis has answered for all channels that were wanted at its start. */
  get isUp(): boolean {
    return this.#isUp;
  }

  start(): void {
    this.#connection.start();
  }

  /** Closes the connection; settles within a second. */
  async stop(): Promise<void> {
    this.#lingering.takeAll();
    this.#refused.clear();
    if (this.#hasRefusals) this.listener.allowed();
    this.#lose(new Error('The connection was closed.'));
    await this.#connection.stop();
  }

  /** A probe came back: the connection works. */
  proven(): void {
    this.#connection.proven();
  }

  /** Replaces the connection. */
  renew(why: Error): void {
    this.#connection.renew(why);
  }

  /** Replaces all connections, of which there is one. */
  renewAll(why: Error): void {
    this.renew(why);
  }

  #begin(client: Redis): void {
    client.on(this.pubSub.event, (channel: Buffer, payload: Buffer) => {
      const name = channel.toString();
      this.#copies.byChannel(name);
      this.listener.message(name, payload);
    });
    client.on('pmessageBuffer', (_pattern: unknown, channel: Buffer, payload: Buffer) => {
      const name = channel.toString();
      if (this.#copies.byPattern(name)) this.listener.message(name, payload);
    });
    // A slot has moved, and Redis has ended the subscriptions to its channels without naming them.
    client.on('moved', () => {
      this.#isSuspect = true;
      this.#reconcile();
    });
    this.#client = client;
    this.#isBusy = this.#isSuspect = false;
    this.#copies.reset();
    this.#reconcile();
  }

  #lose(why: Error): void {
    this.#client = null;
    this.#isUp = false;
    this.#failure = why;
    this.#moved.clear();
    this.#ledger.reset();
    this.#waiters.rejectAll(unavailable(why));
    this.listener.down(why);
  }

  /** Sends the next batch; without one, everything is settled. */
  #reconcile(): void {
    const client = this.#client;
    if (!client || this.#isBusy) return;
    if (this.#isSuspect) this.#ledger.suspect();
    this.#isSuspect = false;
    const batch = this.#ledger.next(this.#batchSize);
    if (batch) {
      this.#isBusy = true;
      void this.#carryOut(client, batch);
      return;
    }
    this.#refused.settle();
    if (this.#hasRefusals && this.#refused.isEmpty) {
      this.#hasRefusals = false;
      this.listener.allowed();
    }
    if (this.#isUp) return;
    this.#isUp = true;
    this.listener.up(client);
  }

  async #carryOut(client: Redis, batch: SubscriptionBatch): Promise<void> {
    const outcome = await this.#send(client, batch);
    // A later connection has subscribed everything anew.
    if (client !== this.#client) return;
    this.#isBusy = false;
    if ('failure' in outcome && !isReply(outcome.failure)) {
      this.renew(bare(outcome.failure));
      return;
    }
    if (batch.verb === 'subscribe') {
      if ('failure' in outcome) this.#refuse(batch.channels, bare(outcome.failure));
      else this.#settle(batch.channels, outcome.refusals);
    }
    this.#reconcile();
  }

  /** @returns the refused channels, or the error of the whole batch */
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
    for (const { channel, why } of refusals) if (why !== null) this.#refuse([channel], bare(why));
    const moved = refusals.filter(({ why }) => why === null).map(({ channel }) => channel);
    if (moved.length > 0) this.#lostToOtherNodes(moved);
  }

  /** Other nodes serve these channels. They are tried here again, until they are released here. */
  #lostToOtherNodes(channels: readonly string[]): void {
    for (const channel of channels) {
      this.#ledger.lose(channel);
      this.#moved.add(channel);
    }
    this.listener.moved?.(channels);
  }

  #confirmed(channels: readonly string[]): void {
    this.#batchSize = Math.min(BATCH, this.#batchSize * 2);
    this.#copies.reset();
    this.#ledger.confirm(channels);
    for (const channel of channels) {
      this.#refused.delete(channel);
      this.#waiters.resolve(channel);
    }
    this.listener.live?.(channels);
  }

  /** One refused channel fails its whole command. Smaller batches, by halves, find it. */
  #refuse(channels: readonly string[], why: Error): void {
    const [channel] = channels;
    if (channels.length > 1 || channel === undefined) {
      this.#batchSize = Math.ceil(channels.length / 2);
      this.#ledger.retry(channels);
      return;
    }
    this.#failure = why;
    this.#ledger.lose(channel);
    this.#waiters.reject(channel, unavailable(why));
    this.listener.refused(why, channel, this.#refused.add(channel));
    this.#hasRefusals = true;
  }
}
