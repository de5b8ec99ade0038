/** Allows `rate` tokens per second on average, and up to `burst` at once. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  /** @param now ms of a clock that only grows */
  constructor(
    private readonly rate: number,
    private readonly burst: number,
    now: number,
  ) {
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes one token and returns 0; without a token it takes nothing and returns the ms until there will be one. */
  take(now: number): number {
    const passed = Math.max(0, now - this.#at);
    this.#tokens = Math.min(this.burst, this.#tokens + (passed * this.rate) / 1_000);
    this.#at = now;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return 0;
    }
    return Math.ceil(((1 - this.#tokens) * 1_000) / this.rate);
  }
}
