import type { RedisLink } from '../../redis/link/redis-link.js';
import { IN_TIME, RedisScript } from '../../redis/data/redis-script.js';
import { BUCKET_LIFETIME, readUserBucket, userBucketKey } from './user-buckets.js';

/**
 * Adds a worker's entry to users, or removes it. A field holds the entries of all workers on which the user has sessions,
 * each followed by a space. The same step publishes the news, so that a lost reply cannot make the cluster hear of a change
 * twice or not at all.
 *
 * KEYS: the bucket. ARGV: what the worker's entries begin with, the entry to add, ms to live, the channel of the news (''
 * for none), the deadline of `inTime`, then for each user `+` to add or `-` to remove, the user, and the news.
 */
const CHANGE = new RedisScript(`${IN_TIME}
if not inTime(ARGV[5]) then return LATE end
local whose = ARGV[1]
for at = 6, #ARGV, 3 do
  local user, enters = ARGV[at + 1], ARGV[at] == '+'
  local others, was = '', false
  for entry in string.gmatch(redis.call('HGET', KEYS[1], user) or '', '%S+ ') do
    if string.sub(entry, 1, #whose) == whose then was = true else others = others .. entry end
  end
  local after = enters and others .. ARGV[2] .. ' ' or others
  if after == '' then redis.call('HDEL', KEYS[1], user) else redis.call('HSET', KEYS[1], user, after) end
  if ARGV[4] ~= '' and others == '' and was ~= enters then redis.call('PUBLISH', ARGV[4], ARGV[at + 2]) end
end
return redis.call('PEXPIRE', KEYS[1], ARGV[3])`);

/** A user's first session in the cluster has begun, or the last one has ended. */
export interface UserNews {
  readonly event: 'userConnected' | 'userDisconnected';
  readonly userId: string;
  /** The worker of that session, or the worker that removed a dead worker's entries. */
  readonly workerId: string;
}

/** A change of one worker's entries. */
export interface SessionChange {
  /** What the worker's entries begin with; they are compared with the space after them. */
  readonly whose: string;
  /** What is added for users that enter. */
  readonly entry: string;
  readonly steps: readonly { readonly userId: string; readonly enters: boolean }[];
  /** Where a first session and the end of a last one are published; null: nowhere. */
  readonly news: { readonly channel: string; readonly workerId: string } | null;
}

/** The users of a bucket, and the workers on which they have sessions. Each method fails as `RedisLink.run` does. */
export class SessionBucket {
  readonly #key: string;

  constructor(
    private readonly link: RedisLink,
    prefix: string,
    bucket: number,
  ) {
    this.#key = userBucketKey(prefix, bucket, 'sessions');
  }

  /** Makes a change; the same change made twice does no harm. */
  async change({ whose, entry, steps, news }: SessionChange): Promise<void> {
    const users = steps.flatMap(({ userId, enters }) => {
      const event = enters ? 'userConnected' : 'userDisconnected';
      return [enters ? '+' : '-', userId, news ? this.#write(news, { event, userId, workerId: news.workerId }) : ''];
    });
    const args = [whose, entry, BUCKET_LIFETIME, news?.channel ?? '', news ? this.link.sealedUntil : '', ...users];
    await this.link.run((redis) => CHANGE.run(redis, [this.#key], args));
  }

  #write({ channel }: NonNullable<SessionChange['news']>, news: UserNews): string {
    return this.link.sealed(channel, JSON.stringify(news));
  }

  /** All users with the entries of their workers, page by page. A user that changes meanwhile may come twice. */
  entries(): AsyncGenerator<[userId: string, entries: string[]][]> {
    return readUserBucket(this.link, this.#key);
  }
}
