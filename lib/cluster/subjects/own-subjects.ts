/** A subject that this worker has, or one for which Redis may still have an entry of this worker. */
export interface OwnSubject<Note = never> {
  readonly name: string;
  /** How many times this worker has it. */
  times: number;
  /** Whether this worker has had it for longer than the turn in which it came. */
  hasStayed: boolean;
  /** Whether it has ended before Redis was told of it, though it had stayed: both are news, so it is entered first. */
  isPassing: boolean;
  /** Until when (ms since 1970) it lasts here although this worker has it no more, unless others have it; null: it does not. */
  lastsUntil: number | null;
  /** What the news of its end is made of. */
  note: Note | undefined;
  /** Whether Redis has this worker's entry, after the last confirmed change. */
  isEntered: boolean;
  /** Whether a change was sent and not confirmed, so that it may have been carried out or not. */
  isUnconfirmed: boolean;
  /** Whether it was tried to leave it to other workers, and the outcome is not known. */
  isLeaving: boolean;
}

/** Whether this worker's entry belongs into Redis. */
export function isHere({ times, isPassing, lastsUntil }: OwnSubject<unknown>): boolean {
  return times > 0 || isPassing || lastsUntil !== null;
}

/** The subjects of this worker, and those whose entries in Redis have to change. */
export class OwnSubjects<Note = never> {
  readonly #subjects = new Map<string, OwnSubject<Note>>();
  readonly #changed = new Set<OwnSubject<Note>>();
  readonly #lasting = new Set<OwnSubject<Note>>();
  /** Those that have come in this turn of the event loop. */
  #come: OwnSubject<Note>[] = [];

  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  all(): Iterable<OwnSubject<Note>> {
    return this.#subjects.values();
  }

  get(name: string): OwnSubject<Note> | undefined {
    return this.#subjects.get(name);
  }

  open(name: string): void {
    const subject = this.#find(name);
    if (++subject.times > 1) return;
    this.#come.push(subject);
    this.#stay(subject);
  }

  /** The turn of the event loop is over. */
  turnEnded(): void {
    for (const subject of this.#come) subject.hasStayed ||= subject.times > 0;
    this.#come = [];
  }

  /**
   * Does nothing when this worker does not have it.
   *
   * @param isToldSoon whether Redis can be told of changes: while it is away, what comes and goes is nobody's news
   */
  close(name: string, isToldSoon: boolean, note?: Note): void {
    const subject = this.#subjects.get(name);
    if (!subject || subject.times === 0 || --subject.times > 0) return;
    subject.note = note ?? subject.note;
    subject.isPassing = isToldSoon && subject.hasStayed && !subject.isEntered;
    subject.hasStayed = false;
    this.touch(subject);
  }

  /** It lasts until this time at least. @see OwnSubject.lastsUntil */
  last(name: string, until: number, note: Note): void {
    const subject = this.#find(name);
    subject.lastsUntil = Math.max(until, subject.lastsUntil ?? until);
    subject.note ??= note;
    this.#lasting.add(subject);
    this.#stay(subject);
  }

  /** It does not last any longer. */
  settle(subject: OwnSubject<Note>): void {
    subject.lastsUntil = null;
    subject.isLeaving = false;
    this.#lasting.delete(subject);
    this.touch(subject);
  }

  /** Ends what was to last until now. */
  expire(now: number): void {
    for (const subject of this.#lasting) if ((subject.lastsUntil ?? 0) <= now) this.settle(subject);
  }

  /** The subjects that only last. */
  lasting(): OwnSubject<Note>[] {
    return [...this.#lasting].filter(({ times }) => times === 0);
  }

  /** Decides anew whether the entry of the subject has to change; to be called after each change of an {@link OwnSubject}. */
  touch(subject: OwnSubject<Note>): void {
    const isWanted = isHere(subject);
    if (isWanted !== subject.isEntered || subject.isUnconfirmed) {
      this.#changed.add(subject);
      return;
    }
    this.#changed.delete(subject);
    if (!isWanted) this.#subjects.delete(subject.name);
  }

  /** Takes up to `limit` of the subjects whose entries have to change. */
  takeChanged(limit: number): OwnSubject<Note>[] {
    const taken: OwnSubject<Note>[] = [];
    for (const subject of this.#changed) {
      if (taken.push(subject) === limit) break;
    }
    for (const subject of taken) this.#changed.delete(subject);
    return taken;
  }

  #stay(subject: OwnSubject<Note>): void {
    // Redis may have this worker's entry no more.
    subject.isUnconfirmed ||= subject.isLeaving;
    subject.isLeaving = false;
    this.touch(subject);
  }

  #find(name: string): OwnSubject<Note> {
    let subject = this.#subjects.get(name);
    if (!subject) {
      const state = { hasStayed: false, isPassing: false, isEntered: false, isUnconfirmed: false, isLeaving: false };
      subject = { name, times: 0, lastsUntil: null, note: undefined, ...state };
      this.#subjects.set(name, subject);
    }
    return subject;
  }
}
