/**
 * A clock that never goes back and that all processes of this machine share: Node's own counts from the start of each process. The
 * processes compare it once all the same, and `offset` corrects what differs.
 */
export class MachineClock {
  /** ms that are added. */
  offset = 0;
  readonly #origin: number;

  constructor() {
    const [seconds, nanoseconds] = process.hrtime();
    this.#origin = seconds * 1_000 + nanoseconds / 1e6 - performance.now();
  }

  /** ms. */
  now(): number {
    return this.#origin + performance.now() + this.offset;
  }
}

/**
 * What another process has to add to its clock. Its answer was written between two moments of ours; if what its clock said lies
 * between them too, the clocks agree as far as anybody can see.
 */
export function offsetOf(asked: number, theirs: number, answered: number): number {
  return theirs >= asked && theirs <= answered ? 0 : (asked + answered) / 2 - theirs;
}
