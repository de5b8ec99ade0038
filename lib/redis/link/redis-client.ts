import type { Cluster } from 'ioredis';
import type { WsRedisClient } from '../../options/redis.options.js';

/** Not by `instanceof`, because the client may come from another copy of ioredis. */
export function isCluster(client: WsRedisClient): client is Cluster {
  return client.isCluster;
}

/** The token of the application's own connection: see `InjectWsRedis`. */
export const PXL_WS_REDIS = Symbol('PXL_WS_REDIS');
