/** The most names that are counted by themselves beside the known ones: clients and applications choose them. */
const MOST = 100;
/** Characters of the longest of them. */
const LONGEST = 64;
/** What each monitoring can read as a label. */
const READABLE = /^[\x20-\x7e]*$/;
/** What all further names are counted as. */
const OTHER = 'other';

/** How often each of some names has come, which are not all known before. They are labels of a metric, so they are bounded. */
export class BoundedCounts {
  readonly #counts = new Map<string, number>();
  readonly #known: ReadonlySet<string>;
  #unknown = 0;

  /** @param known names that are counted whatever else has come: nobody can crowd them out */
  constructor(known: Iterable<string>) {
    this.#known = new Set(known);
  }

  /** @param name what is no text, or has more than printable ASCII, counts as another name */
  count(name: unknown): void {
    const counted = typeof name === 'string' && this.#isCounted(name) ? name : OTHER;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
  }

  [Symbol.iterator](): Iterator<[name: string, count: number]> {
    return this.#counts.entries();
  }

  #isCounted(name: string): boolean {
    if (this.#counts.has(name) || this.#known.has(name)) return true;
    if (this.#unknown === MOST || name.length > LONGEST || !READABLE.test(name)) return false;
    this.#unknown++;
    return true;
  }
}
