import { isIP } from 'node:net';
import type { Redis } from 'ioredis';

/**
 * Has a connection with TLS tell the server which name it was reached by (SNI), as browsers do: Node does so only where it
 * is told the name, and a proxy for several servers cannot do without. A name that was given stays, and an address is none.
 */
export function nameServer<T extends Redis>(redis: T): T {
  const { options } = redis;
  // The url `rediss:` makes it `true`.
  const tls: unknown = options.tls;
  // Of a master that Sentinel names only the address is known.
  if (!tls || options.sentinels || options.path || !options.host || isIP(options.host)) return redis;
  options.tls = { servername: options.host, ...(typeof tls === 'object' ? tls : {}) };
  return redis;
}
