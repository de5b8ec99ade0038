import type { RedisLink } from '../../redis/link/redis-link.js';
import { IN_TIME, RedisScript } from '../../redis/data/redis-script.js';
import { scanHash } from '../../redis/data/scan-hash.js';
import { userBucketKey } from '../../redis/data/user-buckets.js';

/** ms after which a bucket goes by itself when nobody refreshes it: the whole cluster is gone. */
const LIFETIME = 24 * 3_600_000;

/**
 * Puts a worker's entry in for users, or takes it out. A field holds the entries of all workers where the user has
 * sessions, each followed by a space. The change and its news are one step: nothing that gets lost on the way back can
 * make the cluster hear of it twice, or not at all.
 *
 * KEYS: the bucket. ARGV: what the worker's entries begin with, the entry to put in, ms to live, the channel of news ('' for
 * none), until when, then `+` or `-`, a user and the news each.
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

/** A user has its first session in the cluster, or had its last. */
export interface UserNews {
  readonly event: 'userConnected' | 'userDisconnected';
  readonly userId: string;
  /** The worker whose session it was, or that found another worker dead. */
  readonly workerId: string;
}

/** How a change of some users is made. */
export interface SessionChange {
  /** What the worker's entries begin with; each is read with a space after it. */
  readonly whose: string;
  /** What is put in for users that enter. */
  readonly entry: string;
  readonly steps: readonly { readonly userId: string; readonly enters: boolean }[];
  /** Where it is told that a user has its first session, or had its last; null: nowhere. */
  readonly news: { readonly channel: string; readonly workerId: string } | null;
}

/** Some of the users in Redis, and on which workers they have sessions. Each method fails as `RedisLink.run` does. */
export class SessionBucket {
  readonly #key: string;

  constructor(
    private readonly link: RedisLink,
    prefix: string,
    bucket: number,
  ) {
    this.#key = userBucketKey(prefix, bucket, 'sessions');
  }

  /** Carries a change out. To do it again does no harm. */
  async change({ whose, entry, steps, news }: SessionChange): Promise<void> {
    const users = steps.flatMap(({ userId, enters }) => {
      const event = enters ? 'userConnected' : 'userDisconnected';
      return [enters ? '+' : '-', userId, news ? this.#write(news, { event, userId, workerId: news.workerId }) : ''];
    });
    const args = [whose, entry, LIFETIME, news?.channel ?? '', news ? this.link.sealedUntil : '', ...users];
    await this.link.run((redis) => CHANGE.run(redis, [this.#key], args));
  }

  #write({ channel }: NonNullable<SessionChange['news']>, news: UserNews): string {
    return this.link.sealed(channel, JSON.stringify(news));
  }

  /** Every user with the entries of its workers, page by page; one that changes meanwhile may come twice. */
  async *entries(): AsyncGenerator<[userId: string, entries: string[]][]> {
    for await (const users of scanHash(this.link, this.#key)) {
      yield users.map(([userId, entries]) => [userId, entries.trim().split(' ')]);
    }
  }
}
