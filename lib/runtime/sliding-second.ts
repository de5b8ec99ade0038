import type { Runtime } from './runtime.js';

const SECOND = 1_000;

/** Allows so many things in any second, wherever it begins. */
export class SlidingSecond {
  /** When the last ones were taken, in ms; the oldest first. */
  readonly #taken: number[] = [];

  constructor(
    private readonly most: number,
    private readonly runtime: Runtime,
  ) {}

  get isSpent(): boolean {
    const now = this.runtime.monotonic();
    while (this.#taken[0] !== undefined && now - this.#taken[0] >= SECOND) this.#taken.shift();
    return this.#taken.length >= this.most;
  }

  /** Takes one of them. */
  take(): void {
    this.#taken.push(this.runtime.monotonic());
  }
}
