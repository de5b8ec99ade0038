import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';
import { Deadlines } from './deadlines.js';

/** Milliseconds for a probe's way to Redis and back. */
const DEADLINE = 1_000;
/** Milliseconds between two probes while they fail, at most. */
const IMPATIENCE = 500;

/** Sends probes, and hears what becomes of them. */
export interface ProbeHost {
  /** Publishes to the channel that this process itself hears. */
  send(payload: string): Promise<unknown>;
  /** A probe came back. */
  passed(roundTrip: number): void;
  /** A probe could not be sent. */
  unsent(why: Error): void;
  /** A probe was sent and did not come back. */
  lost(): void;
}

/** Publishes to ourselves and expects to hear it: the only proof that messages go out and come in. */
export class RedisProbe {
  readonly #deadlines: Deadlines<string>;
  /** The payload of the probe under way; a number that is used once. */
  #pending: string | null = null;
  #sentAt = 0;
  #count = 0;
  #timer: RuntimeTimer | null = null;

  /** @param period ms between two probes while they pass */
  constructor(
    private readonly host: ProbeHost,
    private readonly period: number,
    private readonly runtime: Runtime,
  ) {
    this.#deadlines = new Deadlines(runtime, DEADLINE, ([payload]) => {
      if (payload === this.#pending) this.#conclude(IMPATIENCE, () => this.host.lost());
    });
  }

  /** Probes now, and again and again. */
  start(): void {
    this.stop();
    this.#probe();
  }

  /** Probes no more until the next start. */
  stop(): void {
    this.#timer?.cancel();
    this.#deadlines.takeAll();
    this.#pending = null;
  }

  /** A message came by the probe's channel. */
  heard(payload: string): void {
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
      if (payload === this.#pending) this.#conclude(IMPATIENCE, () => this.host.unsent(error as Error));
    });
  }

  #conclude(pause: number, tell: () => void): void {
    this.stop();
    this.#timer = this.runtime.timeout(Math.min(pause, this.period), () => this.#probe());
    tell();
  }
}
