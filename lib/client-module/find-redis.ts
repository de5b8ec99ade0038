import type { ModuleRef } from '@nestjs/core';
import type { RedisClient } from '../redis/link/redis-client.js';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';

/** The application's connection to Redis from `PxlWebSocketModule`; null without Redis, or without that module. */
export function findRedis(moduleRef: ModuleRef): RedisClient | null {
  try {
    return moduleRef.get<RedisClient | null>(PXL_WS_REDIS, { strict: false });
  } catch {
    return null; // Nest throws when there is no such provider
  }
}
