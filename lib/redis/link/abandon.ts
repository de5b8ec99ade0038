import type { Socket } from 'node:net';
import { isCluster } from './redis-client.js';
import type { WsRedisClient } from '../../options/redis.options.js';

/** Ends a connection so that nothing which it was given reaches Redis any more. */
export function abandon(client: WsRedisClient): void {
  for (const node of isCluster(client) ? client.nodes() : [client]) {
    // There is none before the first attempt to connect.
    const stream = node.stream as Socket | undefined;
    if (stream) reset(stream);
  }
  // The watch that ioredis keeps at the Sentinels outlives a connection that was closed by others.
  const hasWatch = !isCluster(client) && Boolean(client.options.sentinels);
  if (hasWatch || (client.status !== 'close' && client.status !== 'end')) client.disconnect();
}

/**
 * Ends a connection so that nothing leaves the machine any more of what it was given: a closed one would still deliver
 * what waits in the system's buffers when the network heals, a reset one forgets it. TLS and Unix sockets know no reset:
 * they are closed.
 *
 * In the moment in which an `end()` is carried out libuv refuses a reset, and Node 20 then loses the socket for good: it
 * is never closed, and the process spins when it should exit. So a reset waits for that moment to pass.
 */
export function reset(stream: Socket): void {
  if (stream.destroyed) return;
  // While it connects, a reset would wait for the connection.
  if (stream.connecting) stream.destroy();
  else if (isEnding(stream)) stream.once('finish', () => reset(stream));
  else
    try {
      stream.resetAndDestroy();
    } catch {
      stream.destroy();
    }
}

function isEnding({ writableEnded, writableLength, writableFinished }: Socket): boolean {
  return writableEnded && writableLength === 0 && !writableFinished;
}
