import type { Runtime } from '../../runtime/runtime.js';

/** Measurements that are kept: enough for one that met no queue on its way, few enough to follow the clock. */
const KEPT = 8;

interface Measurement {
  /** Redis' time minus our monotonic one, in ms. */
  readonly offset: number;
  readonly roundTrip: number;
}

/** What Redis' clock says, without asking each time. */
export class RedisClock {
  #measurements: Measurement[] = [];
  #offset: number | null = null;

  constructor(private readonly runtime: Runtime) {}

  /**
   * An answer to TIME has come just now.
   *
   * @param sentAt by the monotonic clock
   * @returns false for what is no time: the answers have got out of step with the commands
   */
  learn(sentAt: number, answer: unknown): boolean {
    const receivedAt = this.runtime.monotonic();
    const [seconds, microseconds] = Array.isArray(answer) ? (answer as unknown[]) : [];
    const redisTime = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    if (!(redisTime > 0)) return false;
    const measurement = { offset: redisTime - (sentAt + receivedAt) / 2, roundTrip: receivedAt - sentAt };
    this.#measurements = [measurement, ...this.#measurements].slice(0, KEPT);
    // The quickest answer leaves the least room for error.
    this.#offset = this.#measurements.reduce((best, one) => (one.roundTrip < best.roundTrip ? one : best)).offset;
    return true;
  }

  /** The next answers may come from another server. */
  forget(): void {
    this.#measurements = [];
  }

  /** In ms since 1970; by our own clock before the first answer. */
  now(): number {
    return this.#offset === null ? this.runtime.now() : this.runtime.monotonic() + this.#offset;
  }
}
