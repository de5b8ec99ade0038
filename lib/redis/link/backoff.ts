import type { Runtime } from '../../runtime/runtime.js';

/** The wait before the next attempt: doubled each time, with jitter so that processes do not retry in step. */
export class Backoff {
  #attempts = 0;

  /**
   * @param least ms: the longest first wait
   * @param most ms: the longest wait of all
   */
  constructor(
    private readonly runtime: Runtime,
    private readonly least: number,
    private readonly most: number,
  ) {}

  /** The next wait in ms, between half and all of the present limit. */
  next(): number {
    const whole = Math.min(this.most, this.least * 2 ** this.#attempts);
    if (whole < this.most) this.#attempts++;
    return whole * (0.5 + this.runtime.random() / 2);
  }

  /** An attempt succeeded. */
  reset(): void {
    this.#attempts = 0;
  }
}
