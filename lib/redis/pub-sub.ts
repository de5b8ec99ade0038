import type { Redis } from 'ioredis';
import { isReply } from './redis-failures.js';

/** A channel to which Redis does not let us subscribe. */
export interface Refusal {
  readonly channel: string;
  readonly why: unknown;
}

/** One of the two kinds of pub/sub that Redis has. */
export interface PubSub {
  /** What ioredis calls a message of this kind. */
  readonly event: 'messageBuffer' | 'smessageBuffer';
  /** Resolves with those that Redis refuses, where each is asked for by itself. Rejects with what concerns all of them. */
  subscribe(client: Redis, channels: readonly string[]): Promise<readonly Refusal[]>;
  unsubscribe(client: Redis, channels: readonly string[]): Promise<unknown>;
}

/** Every node of a cluster forwards every message. */
export const CLASSIC: PubSub = {
  event: 'messageBuffer',
  subscribe: (client, channels) => client.subscribe(...channels).then(() => []),
  unsubscribe: (client, channels) => client.unsubscribe(...channels),
};

/** A message stays on the node that serves its channel's slot. A command names channels of one slot only. */
export const SHARDED: PubSub = {
  event: 'smessageBuffer',
  async subscribe(client, channels) {
    const refusals: Refusal[] = [];
    const subscribe = async (channel: string): Promise<void> => {
      try {
        await client.ssubscribe(channel);
      } catch (why) {
        if (!isReply(why)) throw why;
        refusals.push({ channel, why });
      }
    };
    await Promise.all(channels.map(subscribe));
    return refusals;
  },
  unsubscribe: (client, channels) => Promise.allSettled(channels.map((channel) => client.sunsubscribe(channel))),
};
