import type { RedisLink } from '../../redis/link/redis-link.js';
import { IN_TIME, RedisScript } from '../../redis/data/redis-script.js';
import { BUCKET_LIFETIME } from './buckets.js';

/**
 * Adds a worker's entry to subjects, or removes it. A field holds the entries of all workers that have the subject, each
 * followed by a space. The same step publishes the news, so that a lost reply cannot make the cluster hear of a change twice
 * or not at all.
 *
 * KEYS: the bucket. ARGV: what the worker's entries begin with, the entry to add, ms to live, the channel of the news (''
 * for none), the deadline of `inTime`, then for each subject its step, its name, and the news. Returns the names of the
 * subjects with the step `~` of which the worker has no entry now.
 */
const CHANGE = new RedisScript(`${IN_TIME}
if not inTime(ARGV[5]) then return LATE end
local whose, left = ARGV[1], {}
for at = 6, #ARGV, 3 do
  local step, subject = ARGV[at], ARGV[at + 1]
  local others, was = '', false
  for entry in string.gmatch(redis.call('HGET', KEYS[1], subject) or '', '%S+ ') do
    if string.sub(entry, 1, #whose) == whose then was = true else others = others .. entry end
  end
  if step ~= '~' or others ~= '' then
    local enters = step == '+'
    local after = enters and others .. ARGV[2] .. ' ' or others
    if after == '' then redis.call('HDEL', KEYS[1], subject) else redis.call('HSET', KEYS[1], subject, after) end
    if ARGV[4] ~= '' and others == '' and was ~= enters then redis.call('PUBLISH', ARGV[4], ARGV[at + 2]) end
  end
  if step == '~' and (others ~= '' or not was) then left[#left + 1] = subject end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return left`);

/** What becomes of a worker's entry: `+` it is added, `-` removed, `~` removed if other workers have the subject too. */
type Step = '+' | '-' | '~';

/** A change of one worker's entries. */
export interface SubjectChange {
  /** What the worker's entries begin with; they are compared with the space after them. */
  readonly whose: string;
  /** What is added for subjects that enter. */
  readonly entry: string;
  /** With the news of each, which are told where it is the first entry that is added, or the last one that is removed. */
  readonly steps: readonly { readonly step: Step; readonly name: string; readonly news: string }[];
  /** The channel of the news; null: nothing is told. */
  readonly channel: string | null;
}

/** The subjects of a bucket, and the workers that have them. Fails as `RedisLink.run` does. */
export class SubjectBucket {
  constructor(
    private readonly link: RedisLink,
    private readonly key: string,
  ) {}

  /**
   * Makes a change; the same change made twice does no harm.
   *
   * @returns the names of the subjects with the step `~` of which the worker has no entry now
   */
  async change({ whose, entry, steps, channel }: SubjectChange): Promise<readonly string[]> {
    const subjects = steps.flatMap(({ step, name, news }) => [
      step,
      name,
      channel === null || step === '~' ? '' : this.link.sealed(channel, news),
    ]);
    const until = channel === null ? '' : this.link.sealedUntil;
    const args = [whose, entry, BUCKET_LIFETIME, channel ?? '', until, ...subjects];
    return (await this.link.run((redis) => CHANGE.run(redis, [this.key], args))) as string[];
  }
}
