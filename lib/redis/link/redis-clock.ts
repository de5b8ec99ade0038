import type { Runtime } from '../../runtime/runtime.js';

/** Measurements that are kept: enough that one of them was quick, and few enough to follow the clock. */
const KEPT = 8;

interface Measurement {
  /** Redis' time minus our monotonic one, in ms: in the middle of what it may be, up to half a round trip wrong. */
  readonly offset: number;
  readonly roundTrip: number;
}

/** An estimate of Redis' clock, from replies to TIME. */
export class RedisClock {
  #measurements: Measurement[] = [];
  #best: Measurement | null = null;

  constructor(private readonly runtime: Runtime) {}

  /**
   * Takes a reply to TIME, right when it arrives.
   *
   * @param sentAt when TIME was sent (monotonic, ms)
   * @returns false when the reply is not a time: the replies are out of step with the commands
   */
  learn(sentAt: number, answer: unknown): boolean {
    const receivedAt = this.runtime.monotonic();
    const [seconds, microseconds] = Array.isArray(answer) ? (answer as unknown[]) : [];
    const redisTime = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    if (!(redisTime > 0)) return false;
    const measurement = { offset: redisTime - (sentAt + receivedAt) / 2, roundTrip: receivedAt - sentAt };
    this.#measurements = [measurement, ...this.#measurements].slice(0, KEPT);
    // The quickest reply has the smallest error.
    this.#best = this.#measurements.reduce((best, one) => (one.roundTrip < best.roundTrip ? one : best));
    return true;
  }

  /** The next replies may come from another server. */
  forget(): void {
    this.#measurements = [];
  }

  /** ms since 1970; by this process' own clock before the first reply. */
  now(): number {
    return this.#best ? this.runtime.monotonic() + this.#best.offset : this.runtime.now();
  }

  /** As {@link now}, and never ahead of Redis: a deadline that is counted from it is over there when it is over here. */
  atLeast(): number {
    return this.now() - (this.#best?.roundTrip ?? 0) / 2;
  }
}
