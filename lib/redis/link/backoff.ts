import type { Runtime } from '../../runtime/runtime.js';

/** How long to wait before the next attempt: twice as long each time, with jitter so that processes do not march in step. */
export class Backoff {
  #attempts = 0;

  /**
   * @param least ms, the wait before the second attempt at most
   * @param most ms
   */
  constructor(
    private readonly runtime: Runtime,
    private readonly least: number,
    private readonly most: number,
  ) {}

  /** Milliseconds, between a half and the whole of what it may be by now. */
  next(): number {
    const whole = Math.min(this.most, this.least * 2 ** this.#attempts);
    if (whole < this.most) this.#attempts++;
    return whole * (0.5 + this.runtime.random() / 2);
  }

  /** It went well. */
  reset(): void {
    this.#attempts = 0;
  }
}
