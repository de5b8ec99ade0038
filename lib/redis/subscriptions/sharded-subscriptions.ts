import type { Redis } from 'ioredis';
import { WsError } from '../../errors/ws.error.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { ChannelSubscriptions } from './channel-subscriptions.interface.js';
import { Deadlines } from '../link/deadlines.js';
import type { MovableSubscriptions } from './movable-subscriptions.js';
import { unavailable } from '../link/redis-failures.js';
import { Shard, type ShardListener, type ShardProbeOptions } from './shard.js';
import { SETTLING, type SlotMap } from '../topology/slot-map.js';
import { Waiters } from '../link/waiters.js';

/** Milliseconds that a channel may take to become live. */
const DEADLINE = 1_000;

/** A sharded channel that is wanted. */
interface Resident {
  holders: number;
  /** Where it is subscribed; null while no node serves its slot. */
  home: Shard | null;
  /** Where it was before, and stays until it is live at home. */
  readonly former: Set<Shard>;
}

/** What {@link ShardedSubscriptions} tell. */
export interface ShardedListener extends Pick<ShardListener, 'message' | 'refused' | 'allowed'> {
  up(): void;
  down(why: Error): void;
  /** Where a slot is concerned is not known any more. */
  astray(): void;
}

/** What {@link ShardedSubscriptions} are made of. */
export interface ShardedSubscriptionsOptions {
  /** For all channels but the sharded ones. */
  readonly classic: MovableSubscriptions;
  readonly slots: SlotMap;
  isSharded(channel: string): boolean;
  /** Makes a connection to a node of the cluster, named as in its slots; null: it is not known now. */
  readonly connect: (node: string) => Redis | null;
  readonly probing: Omit<ShardProbeOptions, 'serves'>;
  /** Whether the node is the master of the channel's slot; null: nobody answers at the moment. */
  readonly serves: (node: string, channel: string) => Promise<boolean | null>;
  readonly listener: ShardedListener;
}

/**
 * Subscriptions where some channels are sharded: those are subscribed at the node that serves their slot, and move with it.
 * A slot that moves concerns its own channels alone: they are subscribed at the new node as soon as that takes them, and
 * given up at the old one after that. What is published meanwhile takes the classic way: see `RedisLink.publish`.
 */
export class ShardedSubscriptions implements ChannelSubscriptions {
  readonly #shards = new Map<string, Shard>();
  /** Those whose node serves no slots any more, and that still hear channels which are not live elsewhere. */
  readonly #leaving = new Set<Shard>();
  readonly #residents = new Map<string, Resident>();
  readonly #waiters: Waiters;
  /** Channels that have moved and are heard nowhere. */
  readonly #missed: Deadlines<string>;
  /** Those of them that are missed for so long that publishers do not go round them any more. */
  readonly #deaf = new Set<string>();
  #gaps = 0;
  /** Whether it was told that all is well. */
  #isTold = false;

  constructor(
    private readonly options: ShardedSubscriptionsOptions,
    private readonly runtime: Runtime,
  ) {
    this.#waiters = new Waiters(runtime, DEADLINE, () => {
      return new WsError('TIMEOUT', 'Redis did not confirm the subscription in time.');
    });
    this.#missed = new Deadlines(runtime, SETTLING / 2, (channels) => {
      this.#gaps += channels.length;
      for (const channel of channels) this.#deaf.add(channel);
      this.#review();
    });
  }

  acquire(channel: string): Promise<void> | undefined {
    if (!this.options.isSharded(channel)) return this.options.classic.acquire(channel);
    const isLive = this.isLive(channel);
    const home = this.#residents.get(channel)?.home ?? this.#homeOf(channel);
    const isHopeless = !home || home.isAtFault || home.subscriptions.isBarred(channel);
    if (!isLive && isHopeless) return Promise.reject(unavailable(null));
    this.want(channel);
    // One that lingers was live before it was wanted.
    if (this.isLive(channel)) return undefined;
    return this.#waiters.wait(channel).catch((error: unknown) => {
      this.release(channel);
      throw error;
    });
  }

  want(channel: string): void {
    if (!this.options.isSharded(channel)) {
      this.options.classic.want(channel);
      return;
    }
    const resident = this.#residents.get(channel);
    if (resident) {
      resident.holders++;
      return;
    }
    const home = this.#homeOf(channel);
    this.#residents.set(channel, { holders: 1, home, former: new Set() });
    home?.subscriptions.want(channel);
  }

  release(channel: string): void {
    if (!this.options.isSharded(channel)) {
      this.options.classic.release(channel);
      return;
    }
    const resident = this.#residents.get(channel);
    if (!resident || --resident.holders > 0) return;
    this.#residents.delete(channel);
    this.#heardOf(channel);
    resident.home?.subscriptions.release(channel);
    this.#leaveFormer(channel, resident);
  }

  acquirePattern(pattern: string): Promise<void> | undefined {
    return this.options.classic.acquirePattern(pattern);
  }

  wantPattern(pattern: string): void {
    this.options.classic.wantPattern(pattern);
  }

  isLive(channel: string): boolean {
    if (!this.options.isSharded(channel)) return this.options.classic.isLive(channel);
    const resident = this.#residents.get(channel);
    return resident !== undefined && isHeard(channel, resident);
  }

  get counts(): { readonly wanted: number; readonly live: number } {
    let { wanted, live } = this.options.classic.counts;
    for (const { subscriptions } of this.#shards.values()) {
      wanted += subscriptions.counts.wanted;
      live += subscriptions.counts.live;
    }
    return { wanted, live };
  }

  /** How many times a channel that had moved was heard nowhere for so long that messages may be lost. */
  get gaps(): number {
    return this.#gaps;
  }

  /** Whether all is heard. A node that has just got its first slots has some time for that, once all was well. */
  get isUp(): boolean {
    const shards = [...this.#shards.values()];
    const isProven = this.#isTold || shards.every((shard) => shard.isProven);
    return this.options.classic.isUp && shards.length > 0 && isProven && !this.#isAtFault;
  }

  start(): void {
    this.options.classic.start();
  }

  async stop(): Promise<void> {
    this.#missed.takeAll();
    this.#waiters.rejectAll(unavailable(null));
    const shards = [...this.#shards.values(), ...this.#leaving];
    this.#shards.clear();
    this.#leaving.clear();
    await Promise.all([this.options.classic.stop(), ...shards.map((shard) => shard.stop())]);
  }

  /** A probe came back by the classic channels; each shard has a probe of its own. */
  proven(): void {
    this.options.classic.proven();
  }

  renew(why: Error): void {
    this.options.classic.renew(why);
  }

  /** All connections are in doubt, those to the shards too. */
  renewAll(why: Error): void {
    this.options.classic.renewAll(why);
    for (const { subscriptions } of this.#shards.values()) subscriptions.renew(why);
  }

  /** @see MovableSubscriptions.stayWith */
  stayWith(isOneOfThem: (node: Redis) => boolean): void {
    this.options.classic.stayWith(isOneOfThem);
  }

  /** Brings every channel to the node that serves its slot, by what the map says now. */
  settle(): void {
    const slots = this.options.slots.byOwner();
    for (const [node, served] of slots) this.#shardAt(node).serve(served);
    for (const [channel, resident] of this.#residents) this.#move(channel, resident);
    for (const [node, shard] of this.#shards) {
      if (slots.has(node)) continue;
      this.#shards.delete(node);
      this.#leaving.add(shard);
    }
    this.#stopLeft();
    this.#review();
  }

  #move(channel: string, resident: Resident): void {
    const home = this.#homeOf(channel);
    const before = resident.home;
    if (home === before) return;
    resident.home = home;
    if (before) resident.former.add(before);
    if (home && !resident.former.delete(home)) home.subscriptions.want(channel);
    if (home?.subscriptions.isLive(channel)) this.#leaveFormer(channel, resident);
  }

  #leaveFormer(channel: string, { former }: Resident): void {
    for (const shard of former) shard.subscriptions.release(channel);
    former.clear();
  }

  #live(shard: Shard, channels: readonly string[]): void {
    for (const channel of channels) {
      const resident = this.#residents.get(channel);
      if (!resident || !isHeard(channel, resident)) continue;
      if (resident.home === shard) this.#leaveFormer(channel, resident);
      this.#heardOf(channel);
      this.#waiters.resolve(channel);
    }
    if (this.#leaving.size > 0) this.#stopLeft();
  }

  #stopLeft(): void {
    const residents = [...this.#residents.values()];
    for (const shard of this.#leaving) {
      if (residents.some(({ home, former }) => home === shard || former.has(shard))) continue;
      this.#leaving.delete(shard);
      void shard.stop();
    }
  }

  #lostBy(channels: readonly string[]): void {
    for (const channel of channels) {
      const resident = this.#residents.get(channel);
      if (resident && !isHeard(channel, resident) && !this.#deaf.has(channel)) this.#missed.add(channel);
    }
    this.options.listener.astray();
  }

  /** The channel is heard again, or nobody wants it. */
  #heardOf(channel: string): void {
    this.#missed.delete(channel);
    if (this.#deaf.delete(channel)) this.#review();
  }

  /** Tells when the whole has come up or gone down with what has changed. */
  #review(why = new Error('Some slots of the cluster are not served.')): void {
    if (this.#isAtFault) {
      this.#isTold = false;
      this.options.listener.down(why);
    } else if (!this.#isTold && this.isUp) {
      this.#isTold = true;
      this.options.listener.up();
    }
  }

  get #isAtFault(): boolean {
    if (this.#deaf.size > 0) return true;
    for (const shard of this.#shards.values()) if (shard.isAtFault) return true;
    for (const { home } of this.#residents.values()) if (!home) return true;
    return false;
  }

  #homeOf(channel: string): Shard | null {
    const { slots } = this.options;
    const owner = slots.ownerOf(slots.slotOf(channel));
    return (owner === undefined ? undefined : this.#shards.get(owner)) ?? null;
  }

  #shardAt(node: string): Shard {
    const known = this.#shards.get(node);
    if (known) return known;
    const { listener, probing, connect, serves } = this.options;
    const shard = new Shard(
      () => connect(node),
      { ...probing, channel: `${probing.channel}:${node}`, serves: (channel) => serves(node, channel) },
      {
        message: listener.message,
        refused: (why, channel, isFirst) => {
          this.#waiters.reject(channel, unavailable(why));
          listener.refused(why, channel, isFirst);
        },
        live: (channels) => this.#live(shard, channels),
        moved: (channels) => this.#lostBy(channels),
        allowed: () => listener.allowed(),
        astray: () => listener.astray(),
        changed: (why) => this.#changed(node, shard, why),
      },
      this.runtime,
    );
    this.#shards.set(node, shard);
    shard.start();
    return shard;
  }

  #changed(node: string, shard: Shard, why: Error | undefined): void {
    // One that serves no slots any more is missed by nobody.
    if (this.#shards.get(node) !== shard) return;
    if (!why) {
      this.#review();
      return;
    }
    // Another node may serve its slots by now.
    this.options.listener.astray();
    if (!shard.isAtFault) return;
    for (const [channel, { home }] of this.#residents) {
      if (home === shard) this.#waiters.reject(channel, unavailable(why));
    }
    this.#review(why);
  }
}

function isHeard(channel: string, { home, former }: Resident): boolean {
  if (home?.subscriptions.isLive(channel)) return true;
  for (const shard of former) if (shard.subscriptions.isLive(channel)) return true;
  return false;
}
