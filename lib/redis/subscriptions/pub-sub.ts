import type { Redis } from 'ioredis';
import type { Runtime } from '../../runtime/runtime.js';
import { isMoved, isReply } from '../link/redis-failures.js';

/** Milliseconds until somebody is asked again who has not answered. */
const UNANSWERED = 100;

/** A channel to which Redis does not let us subscribe. */
export interface Refusal {
  readonly channel: string;
  /** Null: another node serves the channel's slot. */
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

/**
 * A message stays on the node that serves its channel's slot. A command names channels of one slot only.
 *
 * A replica takes subscriptions to what its master serves. A master that has become one must not get them: as long as
 * nobody hears anything there, who still publishes to it finds out, and whoever has not followed yet misses nothing.
 *
 * @param serves whether the node is the master of a channel's slot; null: nobody answers. It is asked again then, for as
 * long as there is a connection to subscribe by
 */
export function shardedBy(serves: (channel: string) => Promise<boolean | null>, runtime: Runtime): PubSub {
  const isMaster = async (client: Redis, channel: string): Promise<boolean> => {
    for (;;) {
      const answer = await serves(channel);
      if (answer !== null || client.status !== 'ready') return answer === true;
      await new Promise<void>((resolve) => runtime.timeout(UNANSWERED, resolve));
    }
  };
  return {
    event: 'smessageBuffer',
    async subscribe(client, channels) {
      const refusals: Refusal[] = [];
      const subscribe = async (channel: string): Promise<void> => {
        try {
          if (await isMaster(client, channel)) await client.ssubscribe(channel);
          else refusals.push({ channel, why: null });
        } catch (why) {
          if (!isReply(why)) throw why;
          refusals.push({ channel, why: isMoved(why) ? null : why });
        }
      };
      await Promise.all(channels.map(subscribe));
      return refusals;
    },
    unsubscribe: (client, channels) => Promise.allSettled(channels.map((channel) => client.sunsubscribe(channel))),
  };
}
