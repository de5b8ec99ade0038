import type { Runtime } from './runtime.js';

const SECOND = 1_000;

/** Allows a number of events within any period of one second. */
export class SlidingSecond {
  /** When the last events were taken, in ms; the oldest first. */
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

  /** Counts one event. */
  take(): void {
    this.#taken.push(this.runtime.monotonic());
  }
}
