import { Histogram } from './histogram.js';
import { histogram, type MetricSource, type WebSocketMetric } from './metrics.js';

/** How long things take on this worker. Whoever measures asks first whether it is wanted: looking at the clock has a price. */
export class Timings implements MetricSource {
  readonly #handlers = new Map<string, Histogram>();
  readonly #upgrades = new Histogram();
  readonly #bus = new Histogram();

  /** @param isOn whether anybody reads them: the option `metrics` */
  constructor(readonly isOn: boolean) {}

  /** @param route the name of a route: there are not many */
  handled(route: string, ms: number): void {
    let times = this.#handlers.get(route);
    if (!times) this.#handlers.set(route, (times = new Histogram()));
    times.observe(ms / 1_000);
  }

  upgraded(ms: number): void {
    this.#upgrades.observe(ms / 1_000);
  }

  /** @param ms by an estimate of another machine's clock, so it may be less than nothing */
  received(ms: number): void {
    this.#bus.observe(Math.max(0, ms) / 1_000);
  }

  *metrics(): Iterable<WebSocketMetric> {
    if (!this.isOn) return;
    yield histogram('upgrade_seconds', this.#upgrades.read());
    yield histogram('bus_latency_seconds', this.#bus.read());
    for (const [route, times] of this.#handlers) yield histogram('handler_seconds', times.read(), { route });
  }
}
