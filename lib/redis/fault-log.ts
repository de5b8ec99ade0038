import type { Runtime } from '../runtime/runtime.js';

/** Lines in a second: a fault that comes and goes must not fill the log. */
const LINES = 5;

/** Takes a line for the log. */
export type FaultReport = (level: 'log' | 'warn', line: string) => void;

/** Says what happens to Redis, at most five lines a second; the next line tells how many were left out. */
export class FaultLog {
  #second = 0;
  #lines = 0;
  #leftOut = 0;

  constructor(
    private readonly write: FaultReport,
    private readonly runtime: Runtime,
  ) {}

  report(level: 'log' | 'warn', line: string): void {
    const second = Math.floor(this.runtime.monotonic() / 1_000);
    if (second !== this.#second) this.#lines = 0;
    this.#second = second;
    if (++this.#lines > LINES) {
      this.#leftOut++;
      return;
    }
    this.write(level, this.#leftOut > 0 ? `${line} (${this.#leftOut} lines before it were left out)` : line);
    this.#leftOut = 0;
  }
}
