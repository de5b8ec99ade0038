import type { Socket } from 'node:net';
import { isCluster, type RedisClient } from './redis-client.js';
import { reset } from './reset.js';

/** Ends a connection so that nothing which it was given reaches Redis any more. */
export function abandon(client: RedisClient): void {
  for (const node of isCluster(client) ? client.nodes() : [client]) {
    // There is none before the first attempt to connect.
    const stream = node.stream as Socket | undefined;
    if (stream) reset(stream);
  }
  // The watch that ioredis keeps at the Sentinels outlives a connection that was closed by others.
  const hasWatch = !isCluster(client) && Boolean(client.options.sentinels);
  if (hasWatch || (client.status !== 'close' && client.status !== 'end')) client.disconnect();
}
