/**
 * Milliseconds after which a message is stale, by Redis' clock. Messages that a given-up connection or a slow Redis held back
 * arrive later than that. Messages from a clock that is ahead by more are stale, too.
 */
export const MAX_AGE = 10_000;

/** Ids of the same second (ms) are forgotten together. */
const SECOND = 1_000;
/** How many numbers of a sender share an entry. */
const BITS = 32;
/** The most entries: ten seconds of 100,000 messages a second, even if no two share an entry. About 50 MB. */
const MAX_ENTRIES = 1_500_000;
/** The cost of a sender in a second, in entries. */
const SENDER_COST = 8;

/** The verdict on a message; only a `new` one is accepted. */
export type Verdict = 'new' | 'repeated' | 'stale';

interface Second {
  /** By sender: the seen numbers as bits, 32 per entry. */
  readonly senders: Map<string, Map<number, number>>;
  entries: number;
  ids: number;
}

/**
 * Recognises repeated messages by their ids, so that a captured message cannot be published again. An id is remembered until
 * its message is stale anyway: ids are grouped by the second in which their messages were sent.
 */
export class SeenIds {
  readonly #seconds = new Map<number, Second>();
  /** Ids of messages sent before this time were forgotten, so such messages are stale. */
  #horizon = -Infinity;
  #entries = 0;
  #overflow = 0;

  /** @param most the most entries; an entry holds 1 to 32 ids of one sender */
  constructor(private readonly most = MAX_ENTRIES) {}

  /** How many ids were forgotten too early, because there were too many. */
  get overflow(): number {
    return this.#overflow;
  }

  /**
   * Judges a message, and remembers it.
   *
   * @param id `<sender>.<number>`, where each sender numbers its messages. Any other text works and takes more memory
   * @param at when it was sent, ms since 1970
   * @param now ms since 1970 by the same clock
   */
  judge(id: string, at: number, now: number): Verdict {
    // After the clock went back, otherwise every message would be stale.
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
      this.#grow(second, SENDER_COST);
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
