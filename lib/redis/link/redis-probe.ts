import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';
import { Deadlines } from './deadlines.js';

/** Milliseconds for a probe to Redis and back. */
const DEADLINE = 1_000;
/** The longest time between two probes while they fail, ms. */
const RETRY = 500;

/** Sends the probes and gets their outcomes. */
export interface ProbeHost {
  /** Publishes to a channel that this process itself subscribes to. */
  send(payload: string): Promise<unknown>;
  /** A probe came back. */
  passed(roundTrip: number): void;
  /** A probe could not be sent. */
  unsent(why: Error): void;
  /** A probe was sent and did not come back. */
  lost(): void;
}

/** Publishes a message and expects it back: the only proof that messages go out and come in. */
export class RedisProbe {
  readonly #deadlines: Deadlines<string>;
  /** The payload of the open probe, a number that is used once. */
  #pending: string | null = null;
  #sentAt = 0;
  #count = 0;
  #timer: RuntimeTimer | null = null;
  /** Who waits for the end of the open probe. */
  readonly #echoed: (() => void)[] = [];

  /** @param period ms between two probes while they pass */
  constructor(
    private readonly host: ProbeHost,
    private readonly period: number,
    private readonly runtime: Runtime,
  ) {
    this.#deadlines = new Deadlines(runtime, DEADLINE, ([payload]) => {
      if (payload === this.#pending) this.#conclude(RETRY, () => this.host.lost());
    });
  }

  /** Probes now, and then periodically. */
  start(): void {
    this.stop();
    this.#probe();
  }

  /** Probes now; resolves when that is over, whatever its outcome. */
  echo(): Promise<void> {
    this.start();
    return new Promise((resolve) => this.#echoed.push(resolve));
  }

  /** Ends probing until the next start. */
  stop(): void {
    this.#timer?.cancel();
    this.#deadlines.takeAll();
    this.#pending = null;
    for (const resolve of this.#echoed.splice(0)) resolve();
  }

  /** Takes a message of the probe's channel. */
  received(payload: string): void {
    if (payload !== this.#pending) return;
    const roundTrip = this.runtime.monotonic() - this.#sentAt;
    this.#conclude(this.period, () => this.host.passed(roundTrip));
  }

  #probe(): void {
    const payload = String(++this.#count);
    this.#pending = payload;
    this.#sentAt = this.runtime.monotonic();
    this.#deadlines.add(payload);
    this.host.send(payload).catch((error: unknown) => {
      if (payload === this.#pending) this.#conclude(RETRY, () => this.host.unsent(error as Error));
    });
  }

  #conclude(pause: number, report: () => void): void {
    this.stop();
    this.#timer = this.runtime.timeout(Math.min(pause, this.period), () => this.#probe());
    report();
  }
}
