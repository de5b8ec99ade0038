import type { Redis } from 'ioredis';
import type { Runtime } from '../../runtime/runtime.js';
import { keySlotOf } from '../topology/key-slot.js';
import { shardedBy } from './pub-sub.js';
import { RedisProbe } from '../link/redis-probe.js';
import { RedisSubscriptions, type SubscriptionsListener } from './redis-subscriptions.js';

/** Milliseconds that a node with its first slots may take to work before that counts as a fault. */
const GRACE = 3_000;

/** What the probe of a {@link Shard} needs. */
export interface ShardProbeOptions {
  /** The beginning of the names of the probe's channels. */
  readonly channel: string;
  /** Milliseconds between two probes. */
  readonly period: number;
  /** Resolves with null when another node serves the channel's slot. */
  publish(channel: string, payload: string): Promise<number | null>;
  /** Whether the node is the master of the channel's slot; null when it does not answer. */
  serves(channel: string): Promise<boolean | null>;
  /** Verifies a received message; null when it must not be accepted. */
  open(channel: string, payload: Buffer): Buffer | null;
}

/** A probe could not be sent because its slot has moved, which says nothing about the node. */
class ProbeSlotMoved extends Error {}

/** Hears of a {@link Shard}. */
export interface ShardListener extends Required<Omit<SubscriptionsListener, 'up' | 'down'>> {
  /** The shard works (`why` is undefined), or does not work any more, or has become a fault. */
  changed(why: Error | undefined): void;
  /** The slot of its probe has moved. */
  slotsChanged(): void;
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
          if (why instanceof ProbeSlotMoved) listener.slotsChanged();
          else this.#fail(why);
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

  /** Whether probes of this node come back. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** Whether the node should work by now, but does not. */
  get isAtFault(): boolean {
    return !this.#isProven && (this.#wasProven || this.runtime.monotonic() - this.#startedAt > GRACE);
  }

  /** Sets the slots that the node serves; the probe needs a channel in one of them. */
  serve(slots: ReadonlySet<number>): void {
    const before = this.#probeChannel;
    if (before !== null && slots.has(keySlotOf(before))) return;
    let count = 0;
    // Only the text in braces decides about the slot.
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
        this.#fail(why);
      },
      message: (channel, payload) => {
        if (channel === this.#probeChannel) this.#probe.received(this.probing.open(channel, payload)?.toString() ?? '');
        else listener.message(channel, payload);
      },
      refused: (why, channel, isFirst) => listener.refused(why, channel, isFirst),
      allowed: () => listener.allowed(),
      live: (channels) => {
        if (this.#probeChannel !== null && channels.includes(this.#probeChannel)) this.#probe.start();
        listener.live(channels);
      },
      moved: (channels) => {
        // The open probe will not come back.
        if (this.#probeChannel !== null && channels.includes(this.#probeChannel)) this.#probe.stop();
        listener.moved(channels);
      },
    };
  }

  async #send(payload: string): Promise<void> {
    if ((await this.probing.publish(this.#probeChannel ?? '', payload)) === null) throw new ProbeSlotMoved();
  }

  #prove(): void {
    this.subscriptions.proven();
    if (this.#isProven) return;
    this.#isProven = this.#wasProven = true;
    this.listener.changed(undefined);
  }

  #fail(why: Error): void {
    this.#isProven = false;
    this.listener.changed(why);
  }
}
