import type { ModuleRef } from '@nestjs/core';
import type { RedisClient } from '../redis/link/redis-client.js';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';

/** The connection to Redis that `PxlWebSocketModule` has for the application; null without one, or without the module. */
export function findRedis(moduleRef: ModuleRef): RedisClient | null {
  try {
    return moduleRef.get<RedisClient | null>(PXL_WS_REDIS, { strict: false });
  } catch {
    return null; // Nest has no question that is not answered by an exception
  }
}
