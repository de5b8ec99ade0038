import type { Runtime } from '../../runtime/runtime.js';
import { SlidingSecond } from '../../runtime/sliding-second.js';

/** Lines per second. */
const LINES = 5;

/** Takes a line for the log. */
export type FaultReport = (level: 'log' | 'warn', line: string) => unknown;

/**
 * Reports faults of Redis, at most five lines a second; the next line says how many were left out. Never throws, although
 * the lines may go to a function of the application.
 */
export class FaultLog {
  readonly #budget: SlidingSecond;
  #leftOut = 0;

  constructor(
    private readonly write: FaultReport,
    runtime: Runtime,
  ) {
    this.#budget = new SlidingSecond(LINES, runtime);
  }

  report(level: 'log' | 'warn', line: string): void {
    if (this.#budget.isSpent) {
      this.#leftOut++;
      return;
    }
    this.#budget.take();
    void this.#tell(level, this.#leftOut > 0 ? `${line} (${this.#leftOut} lines before it were left out)` : line);
    this.#leftOut = 0;
  }

  async #tell(level: 'log' | 'warn', line: string): Promise<void> {
    try {
      await this.write(level, line);
    } catch {
      // There is no other place for it.
    }
  }
}
