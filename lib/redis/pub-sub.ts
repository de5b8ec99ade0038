import type { Redis } from 'ioredis';

/** One of the two kinds of pub/sub that Redis has. */
export interface PubSub {
  /** What ioredis calls a message of this kind. */
  readonly event: 'messageBuffer' | 'smessageBuffer';
  subscribe(client: Redis, channels: readonly string[]): Promise<unknown>;
  unsubscribe(client: Redis, channels: readonly string[]): Promise<unknown>;
}

/** Every node of a cluster forwards every message. */
export const CLASSIC: PubSub = {
  event: 'messageBuffer',
  subscribe: (client, channels) => client.subscribe(...channels),
  unsubscribe: (client, channels) => client.unsubscribe(...channels),
};

/** A message stays on the node that serves its channel's slot. A command names channels of one slot only. */
export const SHARDED: PubSub = {
  event: 'smessageBuffer',
  subscribe: (client, channels) => Promise.all(channels.map((channel) => client.ssubscribe(channel))),
  unsubscribe: (client, channels) => Promise.all(channels.map((channel) => client.sunsubscribe(channel))),
};
