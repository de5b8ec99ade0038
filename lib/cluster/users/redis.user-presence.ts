import { byUserBucket, USER_BUCKETS } from '../../redis/data/user-buckets.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics.js';
import type { Runtime } from '../../runtime/runtime.js';
import { readObject } from '../bus/json-text.js';
import type { LeasedData, RenewalCause } from '../leases/leased-data.interface.js';
import { LocalUsers, type LocalUser } from './local-users.js';
import { SessionBucket, type SessionChange, type UserNews } from './session-bucket.js';
import type { UserPresence } from './user-presence.interface.js';

/** What Redis may refuse. */
const WHAT = 'to keep the users of the cluster';
/** Users that are entered or taken out at a time. */
const BATCH = 1_000;
/** Beats between two times that everything is written again, so that nothing stays wrong for good. */
const REFRESHED_EACH = 256;

/** Whose sessions they are. */
export interface UserPresenceOptions {
  readonly prefix: string;
  readonly workerId: string;
  /** Milliseconds that other workers get to write again what Redis has lost. */
  readonly lease: number;
}

/**
 * Tells of a user's first session in the cluster, and of its last: Redis holds on which workers each user is, and the step
 * that changes it for the whole cluster tells all workers. What fails is done again at the next beat; what Redis loses is
 * written again without a word.
 */
export class RedisUserPresence implements UserPresence, LeasedData, MetricSource {
  /** The channel whose messages are for {@link receive}. */
  readonly channel: string;
  readonly #users = new LocalUsers();
  #junk = 0;
  /** 0: this worker has not entered the registry. */
  #incarnation = 0;
  /** Whether Redis is known to have its data: it may have lost them when we lost it. */
  #isTrusted = false;
  /** Whether Redis may not have all of our users that were entered. */
  #isDoubtful = false;
  /** Whether others have told that our users are gone. */
  #isForgotten = false;
  /** Whether Redis may have entries of ours that we know nothing of. */
  #hasGhosts = false;
  /** Until then what Redis has of other workers may not be all. */
  #quietUntil = -Infinity;
  #beats = 0;
  #work: Promise<void> | null = null;
  #isDue = false;
  #isStopped = false;

  /** @param tell hears the news of all workers, this one's own included. Must not throw */
  constructor(
    private readonly link: RedisLink,
    private readonly tell: (news: UserNews) => void,
    private readonly options: UserPresenceOptions,
    private readonly runtime: Runtime,
  ) {
    this.channel = `${options.prefix}:users`;
    link.subscriptions.want(this.channel);
    link.onLost(() => (this.#isTrusted = false));
  }

  *metrics(): Iterable<WebSocketMetric> {
    // Messages that were no news: somebody else writes to our channel.
    yield counter('user_news_junk', this.#junk);
  }

  opened(userId: string): void {
    if (this.#isStopped) return;
    this.#users.open(userId);
    this.#resumeLater();
  }

  closed(userId: string): void {
    if (this.#isStopped) return;
    this.#users.close(userId);
    this.#resumeLater();
  }

  /** A message of {@link channel}. */
  receive(payload: Buffer): void {
    const { event, userId, workerId } = readObject(payload.toString()) ?? {};
    const isKnown = event === 'userConnected' || event === 'userDisconnected';
    if (!isKnown || typeof userId !== 'string' || typeof workerId !== 'string') this.#junk++;
    else this.tell({ event, userId, workerId });
  }

  renewed(incarnation: number, cause: RenewalCause): void {
    this.#incarnation = incarnation;
    if (cause === 'gone') this.#isForgotten = true;
    else this.#isDoubtful = true;
    if (cause !== 'lost') return;
    this.#hasGhosts = true;
    this.#quietUntil = this.runtime.monotonic() + this.options.lease;
  }

  beat(): void {
    this.#isTrusted = true;
    this.#beats = (this.#beats + 1) % REFRESHED_EACH;
    this.#isDoubtful ||= this.#beats === 0;
    this.#resume();
  }

  async remove(workerId: string, incarnation: number): Promise<void> {
    const theirs = entryOf(workerId, incarnation);
    await this.#sweep((entry) => entry === theirs, true);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
    for (const user of [...this.#users.all()]) {
      user.sessions = 0;
      this.#users.touch(user);
    }
    if (this.#incarnation > 0) await this.#settle();
  }

  #resumeLater(): void {
    if (this.#isDue || !this.#users.hasChanged) return;
    this.#isDue = true;
    // The sessions of one turn of the event loop go together.
    this.runtime.afterIo(() => {
      this.#isDue = false;
      this.#resume();
    });
  }

  #resume(): void {
    if (!this.#isTrusted) return;
    const ended = (error?: unknown): void => {
      this.#work = null;
      this.link.outcome(WHAT, error);
    };
    // What fails is done again at the next beat.
    this.#work ??= this.#catchUp().then(() => ended(), ended);
  }

  async #catchUp(): Promise<void> {
    if (this.#isForgotten) this.#beginAgain();
    if (this.#isDoubtful) await this.#restore();
    if (this.#hasGhosts) await this.#sweepGhosts();
    if (this.runtime.monotonic() >= this.#quietUntil) await this.#settle();
  }

  #beginAgain(): void {
    this.#isForgotten = false;
    for (const user of [...this.#users.all()]) {
      user.isEntered = user.isOpen = false;
      this.#users.touch(user);
    }
  }

  /** Writes again what should be there. Whose step nobody has confirmed may have been told to be gone: that is news. */
  async #restore(): Promise<void> {
    this.#isDoubtful = false;
    const known = [...this.#users.all()].filter(({ isEntered, isOpen }) => isEntered && !isOpen);
    try {
      for (const [bucket, users] of byUserBucket(known)) {
        const steps = users.map(({ userId }) => ({ userId, enters: true }));
        await this.#change(bucket, steps, false);
      }
    } catch (error) {
      this.#isDoubtful = true;
      throw error;
    }
  }

  /** Tells Redis of the users that have come and gone. */
  async #settle(): Promise<void> {
    while (this.#users.hasChanged) {
      const changed = byUserBucket(this.#users.takeChanged(BATCH));
      const exchanges = [...changed].map(([bucket, users]) => this.#exchange(bucket, users));
      const results = await Promise.allSettled(exchanges);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    }
  }

  async #exchange(bucket: number, users: readonly LocalUser[]): Promise<void> {
    const steps = users.map((user) => ({ user, userId: user.userId, enters: user.sessions > 0 }));
    for (const user of users) user.isOpen = true;
    try {
      await this.#change(bucket, steps, true);
      for (const { user, enters } of steps) {
        user.isEntered = enters;
        user.isOpen = false;
      }
    } finally {
      for (const user of users) this.#users.touch(user);
    }
  }

  async #sweepGhosts(): Promise<void> {
    const { workerId } = this.options;
    const [ours, present] = [`${workerId}.`, entryOf(workerId, this.#incarnation)];
    await this.#sweep((entry) => entry.startsWith(ours) && entry !== present, false);
    this.#hasGhosts = false;
  }

  /** Takes entries out of all buckets. */
  async #sweep(isTheirs: (entry: string) => boolean, isNews: boolean): Promise<void> {
    const news = this.#newsIf(isNews);
    for (let number = 0; number < USER_BUCKETS; number++) {
      const bucket = this.#bucket(number);
      for await (const users of bucket.entries()) {
        for (const [entry, userIds] of usersByEntry(users, isTheirs)) {
          const steps = userIds.map((userId) => ({ userId, enters: false }));
          await bucket.change({ whose: `${entry} `, entry: '', steps, news });
        }
      }
    }
  }

  #change(bucket: number, steps: SessionChange['steps'], isNews: boolean): Promise<void> {
    const { workerId } = this.options;
    const [whose, entry] = [`${workerId}.`, entryOf(workerId, this.#incarnation)];
    return this.#bucket(bucket).change({ whose, entry, steps, news: this.#newsIf(isNews) });
  }

  #newsIf(isNews: boolean): SessionChange['news'] {
    return isNews ? { channel: this.channel, workerId: this.options.workerId } : null;
  }

  #bucket(bucket: number): SessionBucket {
    return new SessionBucket(this.link, this.options.prefix, bucket);
  }
}

/** What stands for a worker in the entry of a user. */
function entryOf(workerId: string, incarnation: number): string {
  return `${workerId}.${incarnation}`;
}

function usersByEntry(users: [string, string[]][], isTheirs: (entry: string) => boolean): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [userId, entries] of users) {
    for (const entry of entries.filter(isTheirs)) found.set(entry, [...(found.get(entry) ?? []), userId]);
  }
  return found;
}
