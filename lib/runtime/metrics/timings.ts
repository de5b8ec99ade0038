import type { Runtime } from '../runtime.js';
import { Histogram, type HistogramCounts } from './histogram.js';
import { histogram, type MetricSource, type WebSocketMetric } from './metrics.js';

/** When a message was sent, and where. */
export interface Sending {
  /** This worker, or another process by way of the bus. */
  readonly from: 'here' | 'bus';
  /** Monotonic, ms. */
  readonly at: number;
}

/** How long things take on this worker. Whoever measures asks first whether it is wanted: looking at the clock has a price. */
export class Timings implements MetricSource {
  readonly #handlers = new Map<string, Histogram>();
  readonly #upgrades = new Histogram();
  readonly #bus = new Histogram();
  readonly #deliveries = { here: new Histogram(), bus: new Histogram() };
  /** What was given to the sockets in this turn of the event loop, at whose end they are written to. */
  #unwritten: Sending[] = [];

  readonly #failures = new Map<string, number>();
  #readers = 0;

  /** @param isKept whether they are measured from the start to the stop: the option `metrics` */
  constructor(
    private readonly isKept: boolean,
    private readonly runtime: Runtime,
  ) {}

  /** Whether anybody reads them. */
  get isOn(): boolean {
    return this.isKept || this.#readers > 0;
  }

  /** Somebody reads the times of handlers until {@link release}. Where nobody did before, they begin anew. */
  hold(): void {
    if (!this.isOn) {
      this.#handlers.clear();
      this.#failures.clear();
    }
    this.#readers++;
  }

  release(): void {
    this.#readers--;
  }

  /**
   * @param route the name of a route: there are not many
   * @param hasFailed whether the message was answered with an error
   */
  handled(route: string, ms: number, hasFailed: boolean): void {
    let times = this.#handlers.get(route);
    if (!times) this.#handlers.set(route, (times = new Histogram()));
    times.observe(ms / 1_000);
    if (hasFailed) this.#failures.set(route, (this.#failures.get(route) ?? 0) + 1);
  }

  /** The times of handlers, by route, and how many of their calls have failed. */
  *routes(): Generator<{ route: string; times: HistogramCounts; failures: number }> {
    for (const [route, times] of this.#handlers) {
      yield { route, times: times.read(), failures: this.#failures.get(route) ?? 0 };
    }
  }

  upgraded(ms: number): void {
    this.#upgrades.observe(ms / 1_000);
  }

  received(ms: number): void {
    this.#bus.observe(ms / 1_000);
  }

  /** What a message that is sent now is measured by; undefined: it is not measured. */
  sending(): Sending | undefined {
    return this.isOn ? { from: 'here', at: this.runtime.monotonic() } : undefined;
  }

  /** A message was given to sockets: it is written at the end of this turn. */
  delivered(sending: Sending): void {
    // The sockets were told before, so they are written to before.
    if (this.#unwritten.push(sending) === 1) this.runtime.afterIo(this.#written);
  }

  *metrics(): Iterable<WebSocketMetric> {
    if (!this.isKept) return;
    yield histogram('upgrade_seconds', this.#upgrades.read());
    yield histogram('bus_latency_seconds', this.#bus.read());
    for (const [from, times] of Object.entries(this.#deliveries)) {
      yield histogram('delivery_seconds', times.read(), { from });
    }
    for (const [route, times] of this.#handlers) yield histogram('handler_seconds', times.read(), { route });
  }

  readonly #written = (): void => {
    const now = this.runtime.monotonic();
    for (const { from, at } of this.#unwritten) this.#deliveries[from].observe((now - at) / 1_000);
    this.#unwritten = [];
  };
}
