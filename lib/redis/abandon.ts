import type { Socket } from 'node:net';
import { isCluster, type RedisClient } from './redis-client.js';

/**
 * Ends a connection so that nothing which it was given leaves the machine any more: a closed connection would still
 * deliver what waits in the system's buffers when the network heals, a reset one forgets it.
 */
export function abandon(client: RedisClient): void {
  for (const node of isCluster(client) ? client.nodes() : [client]) reset(node.stream);
  if (client.status !== 'close' && client.status !== 'end') client.disconnect();
}

/** @param stream undefined before the first attempt to connect */
function reset(stream: Socket | undefined): void {
  if (!stream || stream.destroyed) return;
  try {
    // While it connects, a reset would wait for the connection.
    if (stream.connecting) stream.destroy();
    else stream.resetAndDestroy();
  } catch {
    // TLS and Unix sockets know no reset.
    stream.destroy();
  }
}
