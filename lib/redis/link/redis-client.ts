import type { Cluster, Redis } from 'ioredis';

/** A connection that takes commands: to one Redis, or to a cluster of them. */
export type WsRedisClient = Redis | Cluster;

/** Told by its mark: it may come from another copy of ioredis. */
export function isCluster(client: WsRedisClient): client is Cluster {
  return client.isCluster;
}

/** The token of the connection to Redis that applications may use: see `InjectWsRedis`. */
export const PXL_WS_REDIS = Symbol('PXL_WS_REDIS');
