import type { Redis } from 'ioredis';
import { WsError } from '../../errors/ws.error.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { ChannelSubscriptions } from './channel-subscriptions.interface.js';
import type { MovableSubscriptions } from './movable-subscriptions.js';
import { unavailable } from '../link/redis-failures.js';
import { Shard, type ShardListener, type ShardProbeOptions } from './shard.js';
import type { SlotMap } from '../topology/slot-map.js';
import { UnheardChannels } from './unheard-channels.js';
import { Waiters } from '../link/waiters.js';

/** Milliseconds that a channel may take to become live. */
const DEADLINE = 1_000;

/** Where a wanted sharded channel is subscribed. */
interface Placement {
  holders: number;
  /** The node that serves its slot; null while no node does. */
  home: Shard | null;
  /** Nodes where it was subscribed before; it stays there until it is live at home. */
  readonly former: Set<Shard>;
}

/** Hears of {@link ShardedSubscriptions}. */
export interface ShardedListener extends Pick<ShardListener, 'message' | 'refused' | 'allowed'> {
  up(): void;
  down(why: Error): void;
  /** The known slots may be outdated. */
  slotsChanged(): void;
}

/** The parts of {@link ShardedSubscriptions}. */
export interface ShardedSubscriptionsOptions {
  /** For channels that are not sharded. */
  readonly classic: MovableSubscriptions;
  readonly slots: SlotMap;
  isSharded(channel: string): boolean;
  /** Makes a connection to a node (`host:port`, as in the slots); null when it is unknown. */
  readonly connect: (node: string) => Redis | null;
  readonly probing: Omit<ShardProbeOptions, 'serves'>;
  /** Whether the node is the master of the channel's slot; null when it does not answer. */
  readonly serves: (node: string, channel: string) => Promise<boolean | null>;
  readonly listener: ShardedListener;
}

/**
 * Subscriptions for a cluster with sharded pub/sub. Sharded channels are subscribed at the node that serves their slot, and
 * move with it: first they are subscribed at the new node, and then released at the old one. Meanwhile publishers take the
 * detour over a classic channel: see `ShardedPublisher`.
 */
export class ShardedSubscriptions implements ChannelSubscriptions {
  readonly #shards = new Map<string, Shard>();
  /** Shards of nodes without slots, which are kept until their channels are live elsewhere. */
  readonly #leaving = new Set<Shard>();
  readonly #placements = new Map<string, Placement>();
  readonly #waiters: Waiters;
  readonly #unheard: UnheardChannels;
  /** Whether `up` was the last report. */
  #isReportedUp = false;

  constructor(
    private readonly options: ShardedSubscriptionsOptions,
    private readonly runtime: Runtime,
  ) {
    this.#waiters = new Waiters(runtime, DEADLINE, () => {
      return new WsError('TIMEOUT', 'Redis did not confirm the subscription in time.');
    });
    this.#unheard = new UnheardChannels(runtime, () => this.#review());
  }

  acquire(channel: string): Promise<void> | undefined {
    if (!this.options.isSharded(channel)) return this.options.classic.acquire(channel);
    const isLive = this.isLive(channel);
    const home = this.#placements.get(channel)?.home ?? this.#homeOf(channel);
    const isHopeless = !home || home.isAtFault || home.subscriptions.isRefused(channel);
    if (!isLive && isHopeless) return Promise.reject(unavailable(null));
    this.want(channel);
    // A channel that was released a moment ago may still be live.
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
    const placement = this.#placements.get(channel);
    if (placement) {
      placement.holders++;
      return;
    }
    const home = this.#homeOf(channel);
    this.#placements.set(channel, { holders: 1, home, former: new Set() });
    home?.subscriptions.want(channel);
  }

  release(channel: string): void {
    if (!this.options.isSharded(channel)) {
      this.options.classic.release(channel);
      return;
    }
    const placement = this.#placements.get(channel);
    if (!placement || --placement.holders > 0) return;
    this.#placements.delete(channel);
    this.#unheard.delete(channel);
    placement.home?.subscriptions.release(channel);
    this.#leaveFormer(channel, placement);
  }

  acquirePattern(pattern: string): Promise<void> | undefined {
    return this.options.classic.acquirePattern(pattern);
  }

  wantPattern(pattern: string): void {
    this.options.classic.wantPattern(pattern);
  }

  isLive(channel: string): boolean {
    if (!this.options.isSharded(channel)) return this.options.classic.isLive(channel);
    const placement = this.#placements.get(channel);
    return placement !== undefined && isHeard(channel, placement);
  }

  get counts(): { readonly wanted: number; readonly live: number } {
    let { wanted, live } = this.options.classic.counts;
    for (const { subscriptions } of this.#shards.values()) {
      wanted += subscriptions.counts.wanted;
      live += subscriptions.counts.live;
    }
    return { wanted, live };
  }

  /** @see UnheardChannels.gaps */
  get gaps(): number {
    return this.#unheard.gaps;
  }

  /** Whether all nodes work. Once they all did, a node with its first slots has some time for it. */
  get isUp(): boolean {
    const shards = [...this.#shards.values()];
    const isProven = this.#isReportedUp || shards.every((shard) => shard.isProven);
    return this.options.classic.isUp && shards.length > 0 && isProven && !this.#isAtFault;
  }

  start(): void {
    this.options.classic.start();
  }

  async stop(): Promise<void> {
    this.#unheard.stop();
    this.#waiters.rejectAll(unavailable(null));
    const shards = [...this.#shards.values(), ...this.#leaving];
    this.#shards.clear();
    this.#leaving.clear();
    await Promise.all([this.options.classic.stop(), ...shards.map((shard) => shard.stop())]);
  }

  /** A probe came back over the classic connection; each shard has a probe of its own. */
  proven(): void {
    this.options.classic.proven();
  }

  renew(why: Error): void {
    this.options.classic.renew(why);
  }

  /** Replaces all connections, including those of the shards. */
  renewAll(why: Error): void {
    this.options.classic.renewAll(why);
    for (const { subscriptions } of this.#shards.values()) subscriptions.renew(why);
  }

  /** @see MovableSubscriptions.stayWith */
  stayWith(isOneOfThem: (node: Redis) => boolean): void {
    this.options.classic.stayWith(isOneOfThem);
  }

  /** Moves every channel to the node that serves its slot, according to the slot map. */
  settle(): void {
    const slots = this.options.slots.byOwner();
    for (const [node, served] of slots) this.#shardAt(node).serve(served);
    for (const [channel, placement] of this.#placements) this.#move(channel, placement);
    for (const [node, shard] of this.#shards) {
      if (slots.has(node)) continue;
      this.#shards.delete(node);
      this.#leaving.add(shard);
    }
    this.#stopLeft();
    this.#review();
  }

  #move(channel: string, placement: Placement): void {
    const home = this.#homeOf(channel);
    const before = placement.home;
    if (home === before) return;
    placement.home = home;
    if (before) placement.former.add(before);
    if (home && !placement.former.delete(home)) home.subscriptions.want(channel);
    if (home?.subscriptions.isLive(channel)) this.#leaveFormer(channel, placement);
  }

  #leaveFormer(channel: string, { former }: Placement): void {
    for (const shard of former) shard.subscriptions.release(channel);
    former.clear();
  }

  #live(shard: Shard, channels: readonly string[]): void {
    for (const channel of channels) {
      const placement = this.#placements.get(channel);
      if (!placement || !isHeard(channel, placement)) continue;
      if (placement.home === shard) this.#leaveFormer(channel, placement);
      this.#unheard.delete(channel);
      this.#waiters.resolve(channel);
    }
    if (this.#leaving.size > 0) this.#stopLeft();
  }

  #stopLeft(): void {
    const placements = [...this.#placements.values()];
    for (const shard of this.#leaving) {
      if (placements.some(({ home, former }) => home === shard || former.has(shard))) continue;
      this.#leaving.delete(shard);
      void shard.stop();
    }
  }

  #lostBy(channels: readonly string[]): void {
    for (const channel of channels) {
      const placement = this.#placements.get(channel);
      if (placement && !isHeard(channel, placement)) this.#unheard.add(channel);
    }
    this.options.listener.slotsChanged();
  }

  /** Reports when the subscriptions as a whole have come up or gone down. */
  #review(why = new Error('Some slots of the cluster are not served.')): void {
    if (this.#isAtFault) {
      this.#isReportedUp = false;
      this.options.listener.down(why);
    } else if (!this.#isReportedUp && this.isUp) {
      this.#isReportedUp = true;
      this.options.listener.up();
    }
  }

  get #isAtFault(): boolean {
    if (this.#unheard.hasOverdue) return true;
    for (const shard of this.#shards.values()) if (shard.isAtFault) return true;
    for (const { home } of this.#placements.values()) if (!home) return true;
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
        slotsChanged: () => listener.slotsChanged(),
        changed: (why) => this.#changed(node, shard, why),
      },
      this.runtime,
    );
    this.#shards.set(node, shard);
    shard.start();
    return shard;
  }

  #changed(node: string, shard: Shard, why: Error | undefined): void {
    // A shard without slots is not needed any more.
    if (this.#shards.get(node) !== shard) return;
    if (!why) {
      this.#review();
      return;
    }
    // Another node may serve its slots now.
    this.options.listener.slotsChanged();
    if (!shard.isAtFault) return;
    for (const [channel, { home }] of this.#placements) {
      if (home === shard) this.#waiters.reject(channel, unavailable(why));
    }
    this.#review(why);
  }
}

function isHeard(channel: string, { home, former }: Placement): boolean {
  if (home?.subscriptions.isLive(channel)) return true;
  for (const shard of former) if (shard.subscriptions.isLive(channel)) return true;
  return false;
}
