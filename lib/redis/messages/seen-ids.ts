/**
 * Milliseconds that a message is taken for after it was sent, by Redis' clock. What a TLS link or a slow Redis still held
 * when it was given up on comes later than that. A sender whose clock is so far ahead is not believed either.
 */
export const MAX_AGE = 10_000;

/** Ids are remembered, and forgotten, with all others of the same second. */
const SECOND = 1_000;
/** Numbers of one sender that share an entry. */
const BITS = 32;
/** Entries that are kept: ten seconds of 100,000 messages a second, even when no two of them share one. About 50 MB. */
const MOST = 1_500_000;
/** What a sender costs in a second, in entries. */
const SENDER = 8;

/** What becomes of a message: only a `new` one is taken. */
export type Verdict = 'new' | 'repeated' | 'stale';

interface Second {
  /** By sender: for each 32 numbers those that were there, as bits. */
  readonly senders: Map<string, Map<number, number>>;
  entries: number;
  ids: number;
}

/**
 * Knows a message that was there before, by its id: whoever publishes a captured text again reaches nobody. An id is
 * remembered for as long as the age of its message lets it through, no longer: all ids are kept by the second in which
 * their messages were sent.
 */
export class SeenIds {
  readonly #seconds = new Map<number, Second>();
  /** Whatever was sent before this time has been forgotten, so that it is not taken. */
  #horizon = -Infinity;
  #entries = 0;
  #overflow = 0;

  /** @param most entries that are kept: an entry holds up to 32 ids of one sender, and one at least */
  constructor(private readonly most = MOST) {}

  /** How many ids had to be forgotten too early, since there were too many of them. */
  get overflow(): number {
    return this.#overflow;
  }

  /**
   * Judges a message, and remembers it.
   *
   * @param id `<sender>.<number>`, where each sender counts its messages. Another text does too, and takes more memory
   * @param at when it was sent, ms since 1970
   * @param now ms since 1970 by the same clock
   */
  judge(id: string, at: number, now: number): Verdict {
    // Where the clock has gone back further than a message may be old, nothing would be taken any more.
    if (now < this.#horizon) this.#horizon = -Infinity;
    if (!(Math.abs(now - at) <= MAX_AGE) || at < this.#horizon) return 'stale';
    const key = Math.floor(at / SECOND);
    const second = this.#seconds.get(key) ?? this.#begin(key, now);
    const dot = id.lastIndexOf('.');
    const number = dot < 0 ? NaN : Number(id.slice(dot + 1));
    const isNew = Number.isSafeInteger(number) ? this.#add(second, id.slice(0, dot), number) : this.#add(second, id, 0);
    if (this.#entries > this.most) this.#forgetOldest();
    return isNew ? 'new' : 'repeated';
  }

  #add(second: Second, sender: string, number: number): boolean {
    let numbers = second.senders.get(sender);
    if (!numbers) {
      numbers = new Map<number, number>();
      second.senders.set(sender, numbers);
      this.#grow(second, SENDER);
    }
    const place = Math.floor(number / BITS);
    const bit = 1 << (number - place * BITS);
    const bits = numbers.get(place);
    if (bits !== undefined && (bits & bit) !== 0) return false;
    numbers.set(place, (bits ?? 0) | bit);
    second.ids++;
    if (bits === undefined) this.#grow(second, 1);
    return true;
  }

  #grow(second: Second, entries: number): void {
    second.entries += entries;
    this.#entries += entries;
  }

  #begin(key: number, now: number): Second {
    for (const known of [...this.#seconds.keys()]) {
      const end = (known + 1) * SECOND;
      if (now - end <= MAX_AGE) continue;
      this.#forget(known);
      this.#horizon = Math.max(this.#horizon, end);
    }
    const second: Second = { senders: new Map(), entries: 0, ids: 0 };
    this.#seconds.set(key, second);
    return second;
  }

  #forgetOldest(): void {
    const oldest = Math.min(...this.#seconds.keys());
    this.#overflow += this.#seconds.get(oldest)?.ids ?? 0;
    this.#forget(oldest);
  }

  #forget(key: number): void {
    this.#entries -= this.#seconds.get(key)?.entries ?? 0;
    this.#seconds.delete(key);
  }
}
