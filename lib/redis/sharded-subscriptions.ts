import type { Cluster, Redis } from 'ioredis';
import type { Runtime, RuntimeTimer } from '../runtime/runtime.js';
import type { ChannelSubscriptions } from './channel-subscriptions.interface.js';
import { keySlotOf, SLOTS } from './key-slot.js';
import { isCluster, type RedisClient } from './redis-client.js';
import { unavailable } from './redis-failures.js';
import type { RedisSubscriptions } from './redis-subscriptions.js';
import { Shard, type ShardListener, type ShardProbeOptions } from './shard.js';

/** Milliseconds between two looks at who serves which slot: changes that concern no channel of ours are told by nobody. */
const REFRESH = 5_000;

/** A sharded channel that is wanted. */
interface Resident {
  holders: number;
  /** Where it is subscribed; null while no node serves its slot. */
  home: Shard | null;
}

/** What {@link ShardedSubscriptions} are made of. */
export interface ShardedSubscriptionsOptions {
  /** For all channels but the sharded ones. */
  readonly classic: RedisSubscriptions;
  isSharded(channel: string): boolean;
  /** Makes a connection to a node of the cluster, named as in its slots; null: it is not known now. */
  readonly connect: (node: string) => Redis | null;
  readonly probing: ShardProbeOptions;
  readonly listener: ShardListener;
}

/** Subscriptions where some channels are sharded: those are subscribed at the node that serves their slot, and move with it. */
export class ShardedSubscriptions implements ChannelSubscriptions {
  readonly #shards = new Map<string, Shard>();
  readonly #residents = new Map<string, Resident>();
  #cluster: Cluster | null = null;
  #timer: RuntimeTimer | null = null;
  #wasUp = false;

  constructor(
    private readonly options: ShardedSubscriptionsOptions,
    private readonly runtime: Runtime,
  ) {}

  acquire(channel: string): Promise<void> | undefined {
    if (!this.options.isSharded(channel)) return this.options.classic.acquire(channel);
    const home = this.#residents.get(channel)?.home ?? this.#homeOf(channel);
    if (!home) return Promise.reject(unavailable(null));
    this.want(channel);
    const { subscriptions } = home;
    const acquired = subscriptions.acquire(channel);
    if (!acquired) subscriptions.release(channel);
    return acquired?.then(
      () => subscriptions.release(channel),
      (error: unknown) => {
        this.release(channel);
        throw error;
      },
    );
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
    this.#residents.set(channel, { holders: 1, home });
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
    resident.home?.subscriptions.release(channel);
  }

  acquirePattern(pattern: string): Promise<void> | undefined {
    return this.options.classic.acquirePattern(pattern);
  }

  isLive(channel: string): boolean {
    if (!this.options.isSharded(channel)) return this.options.classic.isLive(channel);
    return this.#residents.get(channel)?.home?.subscriptions.isLive(channel) ?? false;
  }

  get counts(): { readonly wanted: number; readonly live: number } {
    let { wanted, live } = this.options.classic.counts;
    for (const { subscriptions } of this.#shards.values()) {
      wanted += subscriptions.counts.wanted;
      live += subscriptions.counts.live;
    }
    return { wanted, live };
  }

  get isUp(): boolean {
    const shards = [...this.#shards.values()];
    const isHoused = [...this.#residents.values()].every(({ home }) => home !== null);
    return this.options.classic.isUp && isHoused && shards.length > 0 && shards.every(({ isProven }) => isProven);
  }

  start(): void {
    this.options.classic.start();
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#cluster = null;
    const shards = [...this.#shards.values()];
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
    this.options.classic.renew(why);
    for (const { subscriptions } of this.#shards.values()) subscriptions.renew(why);
  }

  /** The connection for commands is a new one: it knows which node serves which slot, and learns when that changes. */
  follow(client: RedisClient): void {
    if (!isCluster(client)) return;
    this.#cluster = client;
    client.on('refresh', () => {
      if (client === this.#cluster) this.#settle();
    });
    this.#settle();
    this.#refreshLater();
  }

  #refreshLater(): void {
    this.#timer?.cancel();
    this.#timer = this.runtime.timeout(REFRESH, () => {
      this.#cluster?.refreshSlotsCache();
      this.#refreshLater();
    });
  }

  /** Brings every channel to the node that serves its slot. */
  #settle(): void {
    const slots = this.#slotsByNode();
    for (const [node, served] of slots) this.#shardAt(node).serve(served);
    for (const [channel, resident] of this.#residents) {
      const home = this.#homeOf(channel);
      if (home === resident.home) continue;
      home?.subscriptions.want(channel);
      resident.home?.subscriptions.release(channel);
      resident.home = home;
    }
    for (const [node, shard] of this.#shards) {
      if (slots.has(node)) continue;
      this.#shards.delete(node);
      void shard.stop();
    }
    this.#review();
  }

  /** Tells when the whole has come up or gone down with what has changed. */
  #review(): void {
    const { isUp } = this;
    if (isUp === this.#wasUp) return;
    this.#wasUp = isUp;
    if (isUp) this.options.listener.up();
    else this.options.listener.down(new Error('Some slots of the cluster are not served.'));
  }

  #slotsByNode(): Map<string, Set<number>> {
    const byNode = new Map<string, Set<number>>();
    for (let slot = 0; slot < SLOTS; slot++) {
      const master = this.#masterOf(slot);
      if (master === undefined) continue;
      const served = byNode.get(master);
      if (served) served.add(slot);
      else byNode.set(master, new Set([slot]));
    }
    return byNode;
  }

  /** Undefined: no node serves the slot, so far as is known. */
  #masterOf(slot: number): string | undefined {
    return this.#cluster?.slots[slot]?.[0];
  }

  #homeOf(channel: string): Shard | null {
    const master = this.#masterOf(keySlotOf(channel));
    return (master === undefined ? undefined : this.#shards.get(master)) ?? null;
  }

  #shardAt(node: string): Shard {
    const known = this.#shards.get(node);
    if (known) return known;
    const { listener, probing, connect } = this.options;
    const shard = new Shard(
      () => connect(node),
      { ...probing, channel: `${probing.channel}:${node}` },
      {
        ...listener,
        up: () => this.#review(),
        down: (why) => {
          // One that serves no slots any more is missed by nobody.
          if (this.#shards.get(node) !== shard) return;
          // Another node may serve its slots by now.
          this.#cluster?.refreshSlotsCache();
          this.#wasUp = false;
          listener.down(why);
        },
      },
      this.runtime,
    );
    this.#shards.set(node, shard);
    shard.start();
    return shard;
  }
}
