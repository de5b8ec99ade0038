import type { Redis } from 'ioredis';
import type { Runtime } from '../../runtime/runtime.js';
import { isMoved, isReply } from '../link/redis-failures.js';

/** Milliseconds before a node that did not answer is asked again. */
const ASK_AGAIN = 100;

/** A subscription that Redis refused. */
export interface Refusal {
  readonly channel: string;
  /** The error; null when another node serves the channel's slot. */
  readonly why: unknown;
}

/** One of Redis' two kinds of pub/sub. */
export interface PubSub {
  /** ioredis' event for a message. */
  readonly event: 'messageBuffer' | 'smessageBuffer';
  /** Resolves with the refused channels, where channels are refused one by one. Rejects when all of them failed together. */
  subscribe(client: Redis, channels: readonly string[]): Promise<readonly Refusal[]>;
  unsubscribe(client: Redis, channels: readonly string[]): Promise<unknown>;
}

/** Classic pub/sub: every node of a cluster forwards every message. */
export const CLASSIC: PubSub = {
  event: 'messageBuffer',
  subscribe: (client, channels) => client.subscribe(...channels).then(() => []),
  unsubscribe: (client, channels) => client.unsubscribe(...channels),
};

/**
 * Sharded pub/sub: a message stays on the node that serves its channel's slot. A command may name channels of one slot only.
 *
 * A replica accepts subscriptions for its master's slots. They must not be made at a former master that has become a replica:
 * as long as nobody subscribes there, publishers notice by the number of receivers that they are at the wrong node.
 *
 * @param serves whether the node is the master of a channel's slot; null when it does not answer, and is asked again as long
 * as the connection is ready
 */
export function shardedBy(serves: (channel: string) => Promise<boolean | null>, runtime: Runtime): PubSub {
  const isMaster = async (client: Redis, channel: string): Promise<boolean> => {
    for (;;) {
      const answer = await serves(channel);
      if (answer !== null || client.status !== 'ready') return answer === true;
      await new Promise<void>((resolve) => runtime.timeout(ASK_AGAIN, resolve));
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
