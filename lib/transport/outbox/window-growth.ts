import type { WindowTerms } from './delivery-window.js';

/** The share of a window that its delay and its writes may take on top of it; more means that the process does not keep up. */
const BUSY = 1;
/** The share below which it has time to spare. */
const IDLE = 0.25;
/** Milliseconds by which timers are late without anything being the matter. */
const TIMER_GRAIN = 1;

/** Windows that are in use take twice as long, and twice that, up to their bound, while this process does not keep up. */
export class WindowGrowth {
  #factor = 1;

  /** How many times their length windows take at present, at most. */
  get factor(): number {
    return this.#factor;
  }

  /** How long a window takes, in ms. */
  durationOf({ window, maxWindow }: WindowTerms): number {
    return Math.max(window, Math.min(window * this.#factor, maxWindow));
  }

  /** @param lost milliseconds between the end of a window and that of the writes that it has collected */
  adapt(terms: WindowTerms, lost: number): void {
    const duration = this.durationOf(terms);
    if (lost - TIMER_GRAIN > duration * BUSY) {
      if (duration < terms.maxWindow) this.#factor *= 2;
    } else if (lost < duration * IDLE) {
      this.#factor = Math.max(1, this.#factor / 2);
    }
  }
}
