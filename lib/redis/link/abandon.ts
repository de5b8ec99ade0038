import type { Socket } from 'node:net';
import { isCluster } from './redis-client.js';
import type { WsRedisClient } from '../../options/redis.options.js';

/** Ends a connection so that nothing that was written to it reaches Redis any more. */
export function abandon(client: WsRedisClient): void {
  for (const node of isCluster(client) ? client.nodes() : [client]) {
    // Undefined before the first attempt to connect.
    const stream = node.stream as Socket | undefined;
    if (stream) reset(stream);
  }
  // ioredis' own connection to the Sentinels outlives a connection that was closed by the other side.
  const hasWatch = !isCluster(client) && Boolean(client.options.sentinels);
  if (hasWatch || (client.status !== 'close' && client.status !== 'end')) client.disconnect();
}

/**
 * Resets a connection. After a mere close the system would still deliver what is in its buffers once the network heals; a
 * reset discards it. What has reached the system of the other side stays there, also for a Redis that stands still.
 * TLS and Unix sockets cannot be reset, and are closed.
 *
 * While an `end()` is being carried out, libuv refuses a reset, and Node 20 then loses the socket: it is never closed, and
 * the process spins when it should exit. So the reset waits for the `end()`.
 */
export function reset(stream: Socket): void {
  if (stream.destroyed) return;
  // A reset of a connecting socket would wait for the connection.
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
