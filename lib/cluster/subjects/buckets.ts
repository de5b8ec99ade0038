import { scanHash } from '../../redis/data/scan-hash.js';
import type { RedisLink } from '../../redis/link/redis-link.js';

/**
 * The number of buckets: hashes in Redis that hold something of all users, or of all rooms, a field for each. Few enough to be
 * read one by one, and enough to spread over the nodes of a cluster and to stay small.
 */
export const BUCKETS = 256;

/** Milliseconds after which a bucket that no worker writes anew is deleted by Redis: the whole cluster is gone. */
export const BUCKET_LIFETIME = 24 * 3_600_000;

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** The bucket of a name, the same on every worker (FNV-1a, 32 bits). */
export function bucketOf(name: string): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), PRIME);
  return (hash >>> 0) % BUCKETS;
}

/**
 * The key of a bucket in Redis. All keys of one bucket are in the same slot.
 *
 * @param what whose buckets they are: `users` or `rooms`
 */
export function bucketKey(prefix: string, what: string, bucket: number, content: string): string {
  return `${prefix}:{${what}.${bucket}}:${content}`;
}

/** Groups things by the buckets of their names. */
export function byBucket<T>(all: Iterable<T>, nameOf: (one: T) => string): Map<number, T[]> {
  const buckets = new Map<number, T[]>();
  for (const one of all) {
    const bucket = bucketOf(nameOf(one));
    const others = buckets.get(bucket);
    if (others) others.push(one);
    else buckets.set(bucket, [one]);
  }
  return buckets;
}

/**
 * Reads a bucket page by page. A field holds entries, each followed by a space. A field that changes meanwhile may come twice.
 * Fails as `RedisLink.run` does.
 */
export async function* readBucket(link: RedisLink, key: string): AsyncGenerator<[field: string, entries: string[]][]> {
  for await (const fields of scanHash(link, key)) {
    yield fields.map(([field, entries]) => [field, entries.trim().split(' ')]);
  }
}
