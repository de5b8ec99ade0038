/** How many hashes all users share: few enough to walk over, enough to spread over a cluster and to stay small. */
export const USER_BUCKETS = 256;

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** The bucket of a user, the same on every worker (FNV-1a, 32 bits). */
export function userBucketOf(userId: string): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < userId.length; at++) hash = Math.imul(hash ^ userId.charCodeAt(at), PRIME);
  return (hash >>> 0) % USER_BUCKETS;
}

/** The key of a bucket: all keys of one bucket share a slot. */
export function userBucketKey(prefix: string, bucket: number, content: string): string {
  return `${prefix}:{users.${bucket}}:${content}`;
}

/** What belongs to users, by their buckets. */
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
