import type { Runtime } from '../../runtime/runtime.js';
import { SlidingSecond } from '../../runtime/sliding-second.js';

/** Lines in a second: a fault that comes and goes must not fill the log. */
const LINES = 5;

/** Takes a line for the log. */
export type FaultReport = (level: 'log' | 'warn', line: string) => unknown;

/**
 * Says what happens to Redis, at most five lines a second; the next line tells how many were left out. Never throws: who
 * takes the lines may be the application.
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
      // There is nobody else to tell.
    }
  }
}
