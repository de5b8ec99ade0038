import type { RedisLink } from '../../redis/link/redis-link.js';
import { IN_TIME, RedisScript } from '../../redis/data/redis-script.js';
import { BUCKET_LIFETIME } from './buckets.js';

/**
 * Adds a worker's entry to subjects, or removes it. A field holds the entries of all workers that have the subject, each
 * followed by a space. The same step publishes the news, so that a lost reply cannot make the cluster hear of a change twice
 * or not at all.
 *
 * KEYS: the buckets. ARGV: what the worker's entries begin with, the entry to add, ms to live ('' to leave the lives of the buckets
 * as they are), the channel of the news ('' for none), the deadline of `inTime`, then for each bucket: the number of its
 * subjects, and for each subject its step, its name, and the news. Returns the names of the subjects with the step `~` of which the
 * worker has no entry now.
 */
const CHANGE = new RedisScript(`${IN_TIME}
if not inTime(ARGV[5]) then return LATE end
local whose, entry, left = ARGV[1], ARGV[2] .. ' ', {}
-- Most often a worker enters a single subject of a bucket that nobody has.
local function change(bucket, names, from)
  if #names == 1 and ARGV[from] == '+' and redis.call('HSETNX', bucket, names[1], entry) == 1 then
    return { ARGV[from + 2] }
  end
  local held, changed, gone, told = redis.call('HMGET', bucket, unpack(names)), {}, {}, {}
  for i, subject in ipairs(names) do
    local step, news = ARGV[from + 3 * i - 3], ARGV[from + 3 * i - 1]
    local others, was = '', false
    for one in string.gmatch(held[i] or '', '%S+ ') do
      if string.sub(one, 1, #whose) == whose then was = true else others = others .. one end
    end
    if step ~= '~' or others ~= '' then
      local enters = step == '+'
      local after = enters and others .. entry or others
      if after == '' then
        gone[#gone + 1] = subject
      else
        changed[#changed + 1] = subject
        changed[#changed + 1] = after
      end
      if others == '' and was ~= enters then told[#told + 1] = news end
    end
    if step == '~' and (others ~= '' or not was) then left[#left + 1] = subject end
  end
  if #gone > 0 then redis.call('HDEL', bucket, unpack(gone)) end
  if #changed > 0 then redis.call('HSET', bucket, unpack(changed)) end
  return told
end
local at = 6
for _, bucket in ipairs(KEYS) do
  local from, names = at + 1, {}
  at = from + 3 * tonumber(ARGV[at])
  for i = from, at - 1, 3 do names[#names + 1] = ARGV[i + 1] end
  local told = change(bucket, names, from)
  if ARGV[3] ~= '' then redis.call('PEXPIRE', bucket, ARGV[3]) end
  if ARGV[4] ~= '' then
    for _, news in ipairs(told) do redis.call('PUBLISH', ARGV[4], news) end
  end
end
return left`);

/** What becomes of a worker's entry: `+` it is added, `-` removed, `~` removed if other workers have the subject too. */
type Step = '+' | '-' | '~';

/** What becomes of a worker's entry of one subject. */
export interface SubjectStep {
  readonly step: Step;
  readonly name: string;
  /** Told where it is the first entry that is added, or the last one that is removed. */
  readonly news: string;
}

/** A change of one worker's entries. */
export interface SubjectChange {
  /** What the worker's entries begin with; they are compared with the space after them. */
  readonly whose: string;
  /** What is added for subjects that enter. */
  readonly entry: string;
  /** By bucket, each subject once. In a Redis Cluster of one bucket only: all keys of a command have to be in one slot. */
  readonly buckets: ReadonlyMap<number, readonly SubjectStep[]>;
  /** The channel of the news; null: nothing is told. */
  readonly channel: string | null;
}

/** The subjects of all buckets, and the workers that have them. Fails as `RedisLink.run` does. */
export class SubjectBuckets {
  constructor(
    private readonly link: RedisLink,
    private readonly keyOf: (bucket: number) => string,
  ) {}

  /**
   * Makes a change; the same change made twice does no harm.
   *
   * @returns the names of the subjects with the step `~` of which the worker has no entry now
   */
  async change({ whose, entry, buckets, channel }: SubjectChange): Promise<readonly string[]> {
    const until = channel === null ? '' : this.link.sealedUntil;
    // What a worker has it writes again every other minute, without news: with each change it would cost a command for each bucket.
    const life = channel === null ? BUCKET_LIFETIME : '';
    const args: (string | number)[] = [whose, entry, life, channel ?? '', until];
    for (const steps of buckets.values()) {
      args.push(steps.length);
      for (const { step, name, news } of steps) {
        args.push(step, name, channel === null || step === '~' ? '' : this.link.sealed(channel, news));
      }
    }
    const keys = [...buckets.keys()].map((bucket) => this.keyOf(bucket));
    return (await this.link.run((redis) => CHANGE.run(redis, keys, args))) as string[];
  }
}
