import type { Runtime } from './runtime.js';

const SECONDS = 10;

/** Counts events and tells how many came per second over the last ten seconds. No timer; one counter per second. */
export class RateMeter {
  readonly #counts = new Uint32Array(SECONDS);
  readonly #startedAt: number;
  #second: number;
  #total = 0;

  constructor(private readonly runtime: Runtime) {
    this.#startedAt = runtime.monotonic();
    this.#second = Math.floor(this.#startedAt / 1_000);
  }

  /** Counts one event. @returns when that was (monotonic, ms), for whoever measures from there */
  mark(): number {
    this.#total++;
    const now = this.runtime.monotonic();
    const at = this.#turn(now) % SECONDS;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    return now;
  }

  /** How many there were since the start. */
  get total(): number {
    return this.#total;
  }

  /** Events per second, averaged over the last ten seconds or since the start; to a hundredth. */
  get perSecond(): number {
    const now = this.runtime.monotonic();
    const second = this.#turn(now);
    const since = Math.max(this.#startedAt, (second - SECONDS + 1) * 1_000);
    const sum = this.#counts.reduce((total, count) => total + count, 0);
    return Math.round((sum * 100_000) / Math.max(1_000, now - since)) / 100;
  }

  /** Empties the counters of the seconds that have passed since the last call. */
  #turn(now: number): number {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) {
      for (let stale = Math.max(this.#second, second - SECONDS) + 1; stale <= second; stale++) {
        this.#counts[stale % SECONDS] = 0;
      }
      this.#second = second;
    }
    return second;
  }
}
