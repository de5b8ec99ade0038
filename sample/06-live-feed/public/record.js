/** Squares that are remembered. */
const KEPT = 400;
/** ms in which somebody has to say that a missing message is lost. */
const PATIENCE = 5_000;

/**
 * What this page knows of each message by its number: `live`, it came at once; `kept`, it came later; `away`, it has not
 * come; `lost`, the page was told that it does not come; `wrong`, it did not come and nobody said so, or it came twice or
 * not in its turn.
 */
export class Record {
  marks = new Map();
  counts = { live: 0, kept: 0, lost: 0, wrong: 0 };
  /** The highest number that has come. */
  newest = 0;
  /** The highest number that was published, as the stage says. */
  published = 0;
  /** Which run of the feed this is. */
  run = null;
  /** Whether the page was told of a loss, and has got nothing since. */
  isTold = false;

  static restore(saved) {
    const record = Object.assign(new Record(), saved, { marks: new Map(saved.marks) });
    for (const missing of record.#missing()) record.#miss(missing);
    return record;
  }

  toJSON() {
    return { ...this, marks: [...this.marks] };
  }

  come(number, isLate) {
    if (this.newest === 0) this.newest = number - 1;
    if (number <= this.newest) return this.#mark(number, 'wrong');
    // What was skipped is missing from now on, and somebody has to say so.
    for (let missing = this.newest + 1; missing < number; missing++) {
      if (this.isTold) this.#mark(missing, 'lost');
      else this.#miss(missing);
    }
    this.isTold = false;
    this.newest = number;
    this.#mark(number, isLate ? 'kept' : 'live');
  }

  /** The page is told that it may have lost messages. */
  tell() {
    const missing = this.#missing();
    for (const number of missing) this.#mark(number, 'lost');
    this.isTold = missing.length === 0;
  }

  publish(number) {
    const first = Math.max(this.published, this.newest, number - KEPT) + 1;
    this.published = Math.max(this.published, number);
    if (this.newest === 0) return;
    for (let next = first; next <= number; next++) if (!this.marks.has(next)) this.marks.set(next, 'away');
  }

  get away() {
    return [...this.marks.values()].filter((mark) => mark === 'away').length;
  }

  /** What came after these is here. */
  #missing() {
    return [...this.marks.keys()].filter((number) => this.marks.get(number) === 'away' && number < this.newest);
  }

  #miss(number) {
    this.marks.set(number, 'away');
    setTimeout(() => this.marks.get(number) === 'away' && this.#mark(number, 'wrong'), PATIENCE);
  }

  #mark(number, mark) {
    this.marks.set(number, mark);
    this.counts[mark]++;
    for (const old of this.marks.keys()) {
      if (this.marks.size <= KEPT) break;
      this.marks.delete(old);
    }
  }
}
