import type { Redis } from 'ioredis';
import type { Runtime } from '../runtime/runtime.js';
import { keySlotOf } from './key-slot.js';
import { SHARDED } from './pub-sub.js';
import { RedisProbe } from './redis-probe.js';
import { RedisSubscriptions, type SubscriptionsListener } from './redis-subscriptions.js';

/** What a {@link Shard} needs to be probed. */
export interface ShardProbeOptions {
  /** Begins the names of the probe's channels. */
  readonly channel: string;
  /** Milliseconds between two probes. */
  readonly period: number;
  publish(channel: string, payload: string): Promise<unknown>;
  /** What was published, as it is heard; null: it is not to be taken. */
  open(channel: string, payload: Buffer): Buffer | null;
}

/** What a {@link Shard} tells. `up`: messages go out to its node and come back. */
export type ShardListener = Pick<SubscriptionsListener, 'down' | 'message' | 'refused'> & { up(): void };

/** The subscriptions on one node of a cluster with sharded pub/sub, and the probe that shows whether they work. */
export class Shard {
  readonly subscriptions: RedisSubscriptions;
  readonly #probe: RedisProbe;
  #probeChannel: string | null = null;
  #isProven = false;

  constructor(
    create: () => Redis | null,
    private readonly probing: ShardProbeOptions,
    private readonly listener: ShardListener,
    runtime: Runtime,
  ) {
    this.#probe = new RedisProbe(
      {
        send: (payload) => probing.publish(this.#probeChannel ?? '', payload),
        passed: () => this.#prove(),
        unsent: (why) => this.#doubt(why),
        lost: () => this.subscriptions.renew(new Error('A probe of a shard did not come back.')),
      },
      probing.period,
      runtime,
    );
    this.subscriptions = new RedisSubscriptions(
      create,
      SHARDED,
      {
        up: () => this.#probe.start(),
        down: (why) => {
          this.#probe.stop();
          this.#doubt(why);
        },
        message: (channel, payload) => {
          if (channel === this.#probeChannel) this.#probe.heard(probing.open(channel, payload)?.toString() ?? '');
          else listener.message(channel, payload);
        },
        refused: (why) => listener.refused(why),
      },
      runtime,
    );
  }

  /** Whether messages go out to this node and come back. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** The node serves these slots now: the probe needs a channel in one of them. */
  serve(slots: ReadonlySet<number>): void {
    const before = this.#probeChannel;
    if (before !== null && slots.has(keySlotOf(before))) return;
    let count = 0;
    let channel = before;
    do channel = `${this.probing.channel}:${count++}`;
    while (!slots.has(keySlotOf(channel)));
    this.#probeChannel = channel;
    this.subscriptions.want(channel);
    if (before !== null) this.subscriptions.release(before);
  }

  start(): void {
    this.subscriptions.start();
  }

  async stop(): Promise<void> {
    this.#probe.stop();
    await this.subscriptions.stop();
  }

  #prove(): void {
    this.subscriptions.proven();
    if (this.#isProven) return;
    this.#isProven = true;
    this.listener.up();
  }

  #doubt(why: Error): void {
    this.#isProven = false;
    this.listener.down(why);
  }
}
