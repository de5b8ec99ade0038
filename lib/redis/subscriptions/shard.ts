import type { Redis } from 'ioredis';
import type { Runtime } from '../../runtime/runtime.js';
import { keySlotOf } from '../topology/key-slot.js';
import { shardedBy } from './pub-sub.js';
import { RedisProbe } from '../link/redis-probe.js';
import { RedisSubscriptions, type SubscriptionsListener } from './redis-subscriptions.js';

/** Milliseconds that a node which has just got its first slots may take until it counts as a fault. */
const GRACE = 3_000;

/** What a {@link Shard} needs to be probed. */
export interface ShardProbeOptions {
  /** Begins the names of the probe's channels. */
  readonly channel: string;
  /** Milliseconds between two probes. */
  readonly period: number;
  /** Resolves with null when another node serves the channel's slot. */
  publish(channel: string, payload: string): Promise<number | null>;
  /** Whether the node is the master of the channel's slot; null: nobody answers at the moment. */
  serves(channel: string): Promise<boolean | null>;
  /** What was published, as it is heard; null: it is not to be taken. */
  open(channel: string, payload: Buffer): Buffer | null;
}

/** A probe was refused since its slot is elsewhere, which tells nothing about the node. */
class Astray extends Error {}

/** What a {@link Shard} tells. */
export interface ShardListener extends Required<Omit<SubscriptionsListener, 'up' | 'down'>> {
  /** It is proven, or not any more, or has become a fault: `why` tells what is wrong, undefined: nothing. */
  changed(why: Error | undefined): void;
  /** Its probe's slot is elsewhere. */
  astray(): void;
}

/** The subscriptions on one node of a cluster with sharded pub/sub, and the probe that shows whether they work. */
export class Shard {
  readonly subscriptions: RedisSubscriptions;
  readonly #probe: RedisProbe;
  readonly #startedAt: number;
  #probeChannel: string | null = null;
  #isProven = false;
  #wasProven = false;

  constructor(
    create: () => Redis | null,
    private readonly probing: ShardProbeOptions,
    private readonly listener: ShardListener,
    private readonly runtime: Runtime,
  ) {
    this.#startedAt = runtime.monotonic();
    this.#probe = new RedisProbe(
      {
        send: (payload) => this.#send(payload),
        passed: () => this.#prove(),
        unsent: (why) => {
          if (why instanceof Astray) listener.astray();
          else this.#doubt(why);
        },
        lost: () => this.subscriptions.renew(new Error('A probe of a shard did not come back.')),
      },
      probing.period,
      runtime,
    );
    this.subscriptions = new RedisSubscriptions(
      create,
      shardedBy((channel) => probing.serves(channel), runtime),
      this.#listener(),
      runtime,
    );
  }

  /** Whether messages go out to this node and come back. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** Whether it should work by now, and does not. */
  get isAtFault(): boolean {
    return !this.#isProven && (this.#wasProven || this.runtime.monotonic() - this.#startedAt > GRACE);
  }

  /** The node serves these slots now: the probe needs a channel in one of them. */
  serve(slots: ReadonlySet<number>): void {
    const before = this.#probeChannel;
    if (before !== null && slots.has(keySlotOf(before))) return;
    let count = 0;
    // Only what stands in braces decides about the slot, and is quickly tried.
    while (!slots.has(keySlotOf(String(count)))) count++;
    this.#probe.stop();
    this.#probeChannel = `${this.probing.channel}:{${count}}`;
    this.subscriptions.want(this.#probeChannel);
    if (before !== null) this.subscriptions.release(before);
  }

  start(): void {
    this.subscriptions.start();
    this.runtime.timeout(GRACE + 1, () => {
      if (this.isAtFault) this.listener.changed(new Error('A node of the cluster cannot be reached.'));
    });
  }

  async stop(): Promise<void> {
    this.#probe.stop();
    await this.subscriptions.stop();
  }

  #listener(): SubscriptionsListener {
    const { listener } = this;
    return {
      up: () => this.#probe.start(),
      down: (why) => {
        this.#probe.stop();
        this.#doubt(why);
      },
      message: (channel, payload) => {
        if (channel === this.#probeChannel) this.#probe.heard(this.probing.open(channel, payload)?.toString() ?? '');
        else listener.message(channel, payload);
      },
      refused: (why, channel, isFirst) => listener.refused(why, channel, isFirst),
      allowed: () => listener.allowed(),
      live: (channels) => {
        if (this.#probeChannel !== null && channels.includes(this.#probeChannel)) this.#probe.start();
        listener.live(channels);
      },
      moved: (channels) => {
        // What it had sent is on its way to nobody.
        if (this.#probeChannel !== null && channels.includes(this.#probeChannel)) this.#probe.stop();
        listener.moved(channels);
      },
    };
  }

  async #send(payload: string): Promise<void> {
    if ((await this.probing.publish(this.#probeChannel ?? '', payload)) === null) throw new Astray();
  }

  #prove(): void {
    this.subscriptions.proven();
    if (this.#isProven) return;
    this.#isProven = this.#wasProven = true;
    this.listener.changed(undefined);
  }

  #doubt(why: Error): void {
    this.#isProven = false;
    this.listener.changed(why);
  }
}
