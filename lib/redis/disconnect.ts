import type { Socket } from 'node:net';
import { isCluster, type RedisClient } from './redis-client.js';

/**
 * Disconnects for good. ioredis then waits two seconds for its socket to close, and keeps the process alive meanwhile, also
 * where the socket has closed before: it is told once more.
 */
export function disconnect(client: RedisClient): void {
  client.disconnect();
  // There is none before the first attempt to connect.
  const stream = isCluster(client) ? undefined : (client.stream as Socket | undefined);
  if (stream?.closed) stream.emit('close');
}
