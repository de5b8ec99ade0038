import { bucketKey, bucketOf } from '../../lib/cluster/subjects/buckets.js';
import { eventually } from '../../lib/testing/eventually.js';
import type { RedisServer } from './redis-server.js';

/**
 * Resolves once Redis has a user on so many workers. A worker writes its first session of a user there after the client has
 * connected; the end of another worker's session is no news from then on only.
 */
export async function isOnWorkers(redis: RedisServer, userId: string, count: number, prefix = 'pxl'): Promise<void> {
  const key = bucketKey(prefix, 'users', bucketOf(userId), 'sessions');
  await eventually(`Redis has ${userId} on ${count} workers`, async () => {
    const entries = await redis.command<string | null>('HGET', key, userId);
    return (entries?.trim().split(' ').length ?? 0) === count;
  });
}
