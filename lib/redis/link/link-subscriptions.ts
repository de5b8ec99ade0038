import type { Redis } from 'ioredis';
import type { ResolvedRedis } from '../../options/redis.options.js';
import type { Runtime } from '../../runtime/runtime.js';
import { MovableSubscriptions } from '../subscriptions/movable-subscriptions.js';
import { CLASSIC } from '../subscriptions/pub-sub.js';
import { RedisSubscriptions, type SubscriptionsListener } from '../subscriptions/redis-subscriptions.js';
import { ShardedSubscriptions, type ShardedSubscriptionsOptions } from '../subscriptions/sharded-subscriptions.js';
import { steadyNodes } from '../topology/cluster-watch.js';
import type { SlotMap } from '../topology/slot-map.js';
import { isCluster } from './redis-client.js';
import type { RedisCommands } from './redis-commands.js';
import { nameOf, oneOf, type RedisSource } from './redis-source.js';

/** The subscriptions of a link: to one Redis, to a Redis Cluster, or to a cluster with sharded pub/sub. */
export type LinkSubscriptions = RedisSubscriptions | MovableSubscriptions | ShardedSubscriptions;

/** What the subscriptions of a link are made of. */
export interface LinkSubscriptionsOptions extends Pick<ShardedSubscriptionsOptions, 'isSharded' | 'probing'> {
  readonly redis: ResolvedRedis;
  readonly source: RedisSource;
  readonly commands: RedisCommands;
  readonly slots: SlotMap;
  readonly listener: Omit<SubscriptionsListener, 'up'> & { up(): void };
}

/** Makes the kind of subscriptions that the option `redis` asks for. */
export function createSubscriptions(options: LinkSubscriptionsOptions, runtime: Runtime): LinkSubscriptions {
  const { redis, source, commands, slots, listener, isSharded, probing } = options;
  const connect = (node?: string): Redis | null => source.subscriber(commands.client, node);
  if (!isCluster(redis.template)) return new RedisSubscriptions(connect, CLASSIC, listener, runtime);
  const connectToAny = (): Redis | null => {
    const { client } = commands;
    const node = client && isCluster(client) ? oneOf(steadyNodes(client, slots), runtime) : undefined;
    return node ? connect(nameOf(node)) : null;
  };
  const classic = new MovableSubscriptions(connectToAny, listener, runtime);
  if (!redis.isSharded) return classic;
  return new ShardedSubscriptions(
    {
      classic,
      slots,
      isSharded,
      connect,
      probing,
      serves: (node, channel) => commands.serves(node, channel),
      listener: { ...listener, slotsChanged: () => commands.learnSlots() },
    },
    runtime,
  );
}
