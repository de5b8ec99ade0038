import type { RedisLink } from '../../redis/link/redis-link.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics.js';
import type { Runtime } from '../../runtime/runtime.js';
import { readObject } from '../bus/json-text.js';
import type { LeasedData, RenewalCause } from '../leases/leased-data.interface.js';
import { LocalUsers, type LocalUser } from './local-users.js';
import { SessionBucket, type SessionChange, type UserNews } from './session-bucket.js';
import { byUserBucket, USER_BUCKETS } from './user-buckets.js';
import type { UserPresence } from './user-presence.interface.js';
import { UserReconciler } from './user-reconciler.js';

/** Names this use of Redis in the log, where Redis refuses it. */
const WHAT = 'to keep the users of the cluster';
/** How many users are written at a time. */
const BATCH = 1_000;

export interface UserPresenceOptions {
  readonly prefix: string;
  readonly workerId: string;
  /** Milliseconds that other workers get to write again what Redis has lost. */
  readonly lease: number;
}

/**
 * Announces a user's first session in the cluster, and the end of the last one. Redis holds the workers on which each user
 * has sessions; the script that adds the first entry or removes the last one also publishes the news to all workers. What
 * fails is tried again at the next beat. What Redis loses is written again without news.
 */
export class RedisUserPresence implements UserPresence, LeasedData, MetricSource {
  /** The channel whose messages go to {@link receive}. */
  readonly channel: string;
  readonly #users = new LocalUsers();
  readonly #reconciler: UserReconciler;
  #junk = 0;
  /** 0 while this worker has not entered the registry. */
  #incarnation = 0;
  /** Whether the lease was renewed since the link to Redis was last lost. Until then Redis may have lost its data. */
  #isVerified = false;
  /** Whether the others have declared this worker dead, and announced the end of its users' sessions. */
  #isDeclaredDead = false;
  /** Until this time (monotonic, ms) Redis may lack entries of other workers, and nothing is announced. */
  #quietUntil = -Infinity;
  #isDue = false;
  #isStopped = false;

  /** @param tell gets the news of all workers, including this one's. Must not throw */
  constructor(
    private readonly link: RedisLink,
    private readonly tell: (news: UserNews) => void,
    private readonly options: UserPresenceOptions,
    private readonly runtime: Runtime,
  ) {
    this.channel = `${options.prefix}:users`;
    this.#reconciler = new UserReconciler(
      {
        rewrite: () => this.#rewrite(),
        removeGhosts: () => this.#removeGhosts(),
        writeChanges: () => this.#announceChanges(),
      },
      () => this.#isVerified,
      (error) => link.outcome(WHAT, error),
    );
    link.subscriptions.want(this.channel);
    link.onLost(() => (this.#isVerified = false));
  }

  *metrics(): Iterable<WebSocketMetric> {
    // Messages on the channel that are not news of this library.
    yield counter('user_news_junk', this.#junk);
  }

  opened(userId: string): void {
    if (this.#isStopped) return;
    this.#users.open(userId);
    this.#startSoon();
  }

  closed(userId: string): void {
    if (this.#isStopped) return;
    this.#users.close(userId);
    this.#startSoon();
  }

  /** Takes a message of {@link channel}. */
  receive(payload: Buffer): void {
    const { event, userId, workerId } = readObject(payload.toString()) ?? {};
    const isKnown = event === 'userConnected' || event === 'userDisconnected';
    if (!isKnown || typeof userId !== 'string' || typeof workerId !== 'string') this.#junk++;
    else this.tell({ event, userId, workerId });
  }

  renewed(incarnation: number, cause: RenewalCause): void {
    this.#incarnation = incarnation;
    this.#isDeclaredDead ||= cause === 'gone';
    this.#reconciler.suspectLoss();
    if (cause !== 'lost') return;
    this.#reconciler.suspectGhosts();
    this.#quietUntil = this.runtime.monotonic() + this.options.lease;
  }

  beat(): void {
    this.#isVerified = true;
    this.#reconciler.beat();
  }

  async remove(workerId: string, incarnation: number): Promise<void> {
    const theirs = entryOf(workerId, incarnation);
    await this.#sweep((entry) => entry === theirs, true);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reconciler.idle();
    for (const user of [...this.#users.all()]) {
      user.sessions = 0;
      this.#users.touch(user);
    }
    if (this.#incarnation > 0) await this.#writeChanges();
  }

  /** Starts at the end of this turn of the event loop, so that its sessions are written together. */
  #startSoon(): void {
    if (this.#isDue || !this.#users.hasChanged) return;
    this.#isDue = true;
    this.runtime.afterIo(() => {
      this.#isDue = false;
      this.#reconciler.start();
    });
  }

  /** Writes without news. Users whose last change was not confirmed are left to the next change, which makes the news. */
  async #rewrite(): Promise<void> {
    if (this.#isDeclaredDead) this.#forgetEntries();
    const entered = [...this.#users.all()].filter(({ isEntered, isUnconfirmed }) => isEntered && !isUnconfirmed);
    for (const [bucket, users] of byUserBucket(entered)) {
      const steps = users.map(({ userId }) => ({ userId, enters: true }));
      await this.#change(bucket, steps, false);
    }
  }

  /** The others have announced that our users are gone, so all of them are entered again, with news. */
  #forgetEntries(): void {
    this.#isDeclaredDead = false;
    for (const user of [...this.#users.all()]) {
      user.isEntered = user.isUnconfirmed = false;
      this.#users.touch(user);
    }
  }

  async #announceChanges(): Promise<void> {
    if (this.runtime.monotonic() >= this.#quietUntil) await this.#writeChanges();
  }

  async #writeChanges(): Promise<void> {
    while (this.#users.hasChanged) {
      const changed = byUserBucket(this.#users.takeChanged(BATCH));
      const written = [...changed].map(([bucket, users]) => this.#write(bucket, users));
      const results = await Promise.allSettled(written);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    }
  }

  async #write(bucket: number, users: readonly LocalUser[]): Promise<void> {
    const steps = users.map((user) => ({ user, userId: user.userId, enters: user.sessions > 0 }));
    for (const user of users) user.isUnconfirmed = true;
    try {
      await this.#change(bucket, steps, true);
      for (const { user, enters } of steps) {
        user.isEntered = enters;
        user.isUnconfirmed = false;
      }
    } finally {
      for (const user of users) this.#users.touch(user);
    }
  }

  /** Removes the entries of this worker's earlier incarnations. */
  async #removeGhosts(): Promise<void> {
    const { workerId } = this.options;
    const [ours, present] = [`${workerId}.`, entryOf(workerId, this.#incarnation)];
    await this.#sweep((entry) => entry.startsWith(ours) && entry !== present, false);
  }

  /** Removes entries from all buckets. */
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

/** What stands for a worker in the entries of a user. */
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
