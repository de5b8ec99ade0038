import { scanHash } from '../../redis/data/scan-hash.js';
import type { RedisLink } from '../../redis/link/redis-link.js';

/**
 * The number of buckets: hashes in Redis that hold something of all users, a field per user. Few enough to be read one by
 * one, and enough to spread over the nodes of a cluster and to stay small.
 */
export const USER_BUCKETS = 256;

/** Milliseconds after which a bucket that no worker writes is deleted by Redis: the whole cluster is gone. */
export const BUCKET_LIFETIME = 24 * 3_600_000;

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** The bucket of a user, the same on every worker (FNV-1a, 32 bits). */
export function userBucketOf(userId: string): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < userId.length; at++) hash = Math.imul(hash ^ userId.charCodeAt(at), PRIME);
  return (hash >>> 0) % USER_BUCKETS;
}

/** The key of a bucket in Redis. All keys of one bucket are in the same slot. */
export function userBucketKey(prefix: string, bucket: number, content: string): string {
  return `${prefix}:{users.${bucket}}:${content}`;
}

/** Groups what belongs to users by their buckets. */
export function byUserBucket<T extends { readonly userId: string }>(all: Iterable<T>): Map<number, T[]> {
  const buckets = new Map<number, T[]>();
  for (const one of all) {
    const bucket = userBucketOf(one.userId);
    const others = buckets.get(bucket);
    if (others) others.push(one);
    else buckets.set(bucket, [one]);
  }
  return buckets;
}

/**
 * Reads a bucket page by page. A field holds entries, each followed by a space. A user that changes meanwhile may come
 * twice. Fails as `RedisLink.run` does.
 */
export async function* readUserBucket(
  link: RedisLink,
  key: string,
): AsyncGenerator<[userId: string, entries: string[]][]> {
  for await (const users of scanHash(link, key)) {
    yield users.map(([userId, entries]) => [userId, entries.trim().split(' ')]);
  }
}
