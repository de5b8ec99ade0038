/** How many envelopes are remembered: more than are ever on the way at once. */
const KEPT = 1_024;

/** Tells the first copy of an envelope from the others. Remembers the last 1,024. */
export class SeenCopies {
  readonly #ids = new Set<string>();
  readonly #ring: string[] = [];
  #next = 0;

  /** Whether this is the first copy of the envelope. */
  isFirst(origin: string | null, copyId: string): boolean {
    const id = `${origin ?? ''} ${copyId}`;
    if (this.#ids.has(id)) return false;
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#ids.delete(oldest);
    this.#ids.add(id);
    this.#ring[this.#next] = id;
    this.#next = (this.#next + 1) % KEPT;
    return true;
  }
}
