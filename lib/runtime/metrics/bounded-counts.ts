/** The most names that are counted by themselves: clients and applications choose them. */
const MOST = 100;
/** Characters of the longest name that is. */
const LONGEST = 64;
/** What all further names are counted as. */
const OTHER = 'other';

/** How often each of some names has come, which are not known before. They are labels of a metric, so they are bounded. */
export class BoundedCounts {
  readonly #counts = new Map<string, number>();

  /** @param name what is no text counts as another name */
  count(name: unknown): void {
    const known = typeof name === 'string' && this.#isCounted(name) ? name : OTHER;
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + 1);
  }

  [Symbol.iterator](): Iterator<[name: string, count: number]> {
    return this.#counts.entries();
  }

  #isCounted(name: string): boolean {
    return this.#counts.has(name) || (this.#counts.size < MOST && name.length <= LONGEST);
  }
}
