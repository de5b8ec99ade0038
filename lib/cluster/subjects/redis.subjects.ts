import type { RedisLink } from '../../redis/link/redis-link.js';
import { chunksOf } from '../../runtime/chunks.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { LeasedData, RenewalCause } from '../leases/leased-data.interface.js';
import { isHere, OwnSubjects, type OwnSubject } from './own-subjects.js';
import { Reconciler } from './reconciler.js';
import { BATCH, isOf, SubjectEntries, untilOf, type SubjectEntriesOptions } from './subject-entries.js';
import type { SubjectEnd, Subjects, SubjectsHost } from './subjects.interface.js';

/** How often it is tried within a lease to leave subjects to other workers. */
const HANDOVERS = 10;

export interface RedisSubjectsOptions extends SubjectEntriesOptions {
  /** Milliseconds that other workers get to write again what Redis has lost. */
  readonly lease: number;
  /** Names this use of Redis in the log, where Redis refuses it. */
  readonly use: string;
}

/**
 * Announces a subject's beginning in the cluster, and its end. Redis holds the workers that have each subject; the script that
 * adds the first entry or removes the last one also publishes the news to all workers. What fails is tried again at the next
 * beat. What Redis loses is written again without news.
 */
export class RedisSubjects<Note = never> implements Subjects<Note>, LeasedData {
  readonly #own = new OwnSubjects<Note>();
  readonly #entries: SubjectEntries<Note>;
  readonly #reconciler: Reconciler;
  /** Whether the lease was renewed since the link to Redis was last lost. Until then Redis may have lost its data. */
  #isVerified = false;
  /** Whether the others have declared this worker dead, and announced the end of its subjects. */
  #isDeclaredDead = false;
  /** Until this time (monotonic, ms) Redis may lack entries of other workers, and nothing is announced. */
  #quietUntil = -Infinity;
  /** When subjects are left to other workers next (monotonic, ms). */
  #handsOverAt = -Infinity;
  #isDue = false;
  #isTurnDue = false;
  #isStopped = false;

  constructor(
    private readonly link: RedisLink,
    private readonly host: SubjectsHost<Note>,
    private readonly options: RedisSubjectsOptions,
    private readonly runtime: Runtime,
  ) {
    this.#entries = new SubjectEntries(link, host, options);
    this.#reconciler = new Reconciler(
      {
        rewrite: () => this.#rewrite(),
        removeGhosts: () => this.#entries.removeGhosts(),
        writeChanges: () => this.#announceChanges(),
      },
      () => this.#isVerified,
      (error) => link.outcome(options.use, error),
    );
    link.subscriptions.want(host.channel);
    link.onLost(() => (this.#isVerified = false));
  }

  open(name: string): void {
    if (this.#isStopped) return;
    this.#own.open(name);
    this.#endTurn();
    this.#startSoon();
  }

  close(name: string, end?: SubjectEnd<Note>): void {
    if (this.#isStopped) return;
    if (end?.until !== undefined && this.#own.get(name)?.times === 1) this.#own.last(name, end.until, end.note);
    this.#own.close(name, this.#isVerified, end?.note);
    this.#startSoon();
  }

  renewed(incarnation: number, cause: RenewalCause): void {
    this.#entries.incarnation = incarnation;
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

  async remove(workerId: string, incarnation: number, at: number): Promise<void> {
    const isTheirs = (entry: string): boolean => isOf(entry, workerId, incarnation);
    await this.#entries.sweep(isTheirs, true, async (entry, names) => {
      await this.host.removes?.(names, at);
      await this.#inherit(names, untilOf(entry));
    });
  }

  async stop(): Promise<boolean> {
    this.#isStopped = true;
    await this.#reconciler.idle();
    if (this.#entries.incarnation === 0) return false;
    const isLeft = await this.#leave();
    await this.#writeChanges();
    return isLeft;
  }

  #endTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.runtime.afterIo(() => {
      this.#isTurnDue = false;
      this.#own.turnEnded();
    });
  }

  /** Starts soon, so that what comes until then is written together. */
  #startSoon(): void {
    if (this.#isDue || !this.#own.hasChanged) return;
    this.#isDue = true;
    this.link.soon(() => {
      this.#isDue = false;
      this.#reconciler.start();
    });
  }

  /** Writes without news. Subjects whose last change was not confirmed are left to the next change, which makes the news. */
  async #rewrite(): Promise<void> {
    if (this.#isDeclaredDead) this.#forgetEntries();
    await this.#entries.restore([...this.#own.all()].filter((subject) => isConfirmed(subject) && !subject.isLeaving));
  }

  /** The others have announced the end of our subjects, so all of them are entered again, with news. */
  #forgetEntries(): void {
    this.#isDeclaredDead = false;
    for (const subject of [...this.#own.all()]) {
      subject.isEntered = subject.isUnconfirmed = subject.isLeaving = false;
      this.#own.touch(subject);
    }
  }

  async #announceChanges(): Promise<void> {
    if (this.runtime.monotonic() < this.#quietUntil) return;
    this.#own.expire(this.link.redisNow());
    await this.#handOver();
    await this.#writeChanges();
  }

  async #writeChanges(): Promise<void> {
    while (this.#own.hasChanged) await this.#writeAll(this.#own.takeChanged(BATCH));
  }

  /** @param until where this worker stops: until when the subjects outlast it */
  #writeAll(subjects: readonly OwnSubject<Note>[], until?: number): Promise<void> {
    return this.#entries.inCommands(subjects, (some) => this.#write(some, until));
  }

  async #write(subjects: readonly OwnSubject<Note>[], until?: number): Promise<void> {
    const changes = subjects.map((subject) => ({ subject, enters: isHere(subject) }));
    for (const subject of subjects) subject.isUnconfirmed = true;
    try {
      const written = changes.map(({ subject: { name, note }, enters }) => ({ name, note, enters }));
      await this.#entries.write(written, until);
      for (const { subject, enters } of changes) {
        subject.isEntered = enters;
        subject.isUnconfirmed = false;
        if (enters) subject.isPassing = false;
      }
    } finally {
      for (const subject of subjects) this.#own.touch(subject);
    }
  }

  /** Leaves the subjects that only last here to the workers that have them by now. */
  async #handOver(): Promise<void> {
    const now = this.runtime.monotonic();
    if (now < this.#handsOverAt) return;
    const lasting = this.#own.lasting().filter(isConfirmed);
    if (lasting.length === 0) return;
    this.#handsOverAt = now + this.options.lease / HANDOVERS;
    for (const subject of lasting) subject.isLeaving = true;
    const left = await this.#entries.leave(lasting);
    for (const subject of lasting) {
      subject.isLeaving = false;
      if (!left.has(subject.name)) continue;
      subject.isEntered = false;
      this.#own.settle(subject);
    }
  }

  /** Takes what a dead worker has left over from it, where it lasts. Rejects unless Redis has this worker's entries then. */
  async #inherit(names: readonly string[], until: number | undefined): Promise<void> {
    const now = this.link.redisNow();
    const inherited = names.filter((name) => {
      const end = this.host.inherits?.(name, until);
      if (!end || end.until <= now) return false;
      this.#own.last(name, end.until, end.note);
      return true;
    });
    if (inherited.length === 0) return;
    await this.#reconciler.idle();
    if (!this.#isStopped) this.#reconciler.start();
    await this.#reconciler.idle();
    const isIn = inherited.every((name) => {
      const subject = this.#own.get(name);
      return !subject || isConfirmed(subject);
    });
    if (!isIn) throw new Error('Redis has not taken what a dead worker has left.');
  }

  /** @returns whether subjects outlast this worker; those that do not have changed */
  async #leave(): Promise<boolean> {
    const now = Math.round(this.link.redisNow());
    const outlasting = new Map<number, OwnSubject<Note>[]>();
    for (const subject of [...this.#own.all()]) {
      const until = this.#lastOf(subject, now);
      if (until > now) outlasting.set(until, [...(outlasting.get(until) ?? []), subject]);
      else {
        subject.times = 0;
        subject.isPassing = false;
        this.#own.settle(subject);
      }
    }
    for (const [until, subjects] of outlasting) {
      for (const some of chunksOf(subjects, BATCH)) await this.#writeAll(some, until);
    }
    return outlasting.size > 0;
  }

  /** Until when a subject outlasts this worker, in ms since 1970. */
  #lastOf({ name, times, lastsUntil }: OwnSubject<Note>, now: number): number {
    const outlasts = times > 0 ? (this.host.outlasts?.(name) ?? 0) : 0;
    return Math.max(now + outlasts, lastsUntil ?? 0);
  }
}

/** Whether Redis has this worker's entry for certain. */
function isConfirmed({ isEntered, isUnconfirmed }: OwnSubject<unknown>): boolean {
  return isEntered && !isUnconfirmed;
}
