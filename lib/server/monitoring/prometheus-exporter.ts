import {
  Inject,
  Injectable,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { LoopDelay } from '../../runtime/metrics/loop-delay.js';
import {
  allMetrics,
  gauge,
  Metrics,
  type CataloguedMetric,
  type MetricSource,
  type WebSocketMetric,
} from '../../runtime/metrics/metrics.js';
import { Runtime } from '../../runtime/runtime.js';

/** A value as prom-client writes it: under the metric's own name unless it has another. */
interface CollectedValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** One metric as a registry of prom-client asks for it. The registry may change its name (OpenMetrics). */
class CollectedMetric {
  readonly help: string;
  readonly type: CataloguedMetric['kind'];
  readonly aggregator: CataloguedMetric['aggregator'];
  name: string;
  /** Whether its application ends: the next one may have begun, as at a hot reload. */
  isEnding = false;

  constructor(
    { name, help, kind, aggregator }: CataloguedMetric,
    private readonly read: () => readonly WebSocketMetric[],
  ) {
    this.name = name;
    this.help = help;
    this.type = kind;
    this.aggregator = aggregator;
  }

  get(): object {
    const { name, help, type, aggregator } = this;
    const values = this.read().flatMap((metric) => [...valuesOf(metric)]);
    return { name, help, type, aggregator, values };
  }

  /** The numbers are the worker's own: they begin with the process. */
  reset(): void {}
}

/** Shows this worker's numbers in the registry of the option `metrics` from the start of the application to its stop. */
@Injectable()
export class PrometheusExporter implements MetricSource, OnModuleInit, OnModuleDestroy, OnApplicationShutdown {
  readonly #registered = new Map<string, CollectedMetric>();
  /** Read once for all metrics that are asked for in one turn of the event loop. */
  #snapshot: Map<string, WebSocketMetric[]> | null = null;
  readonly #delay: LoopDelay;

  constructor(
    private readonly metricsOfWorker: Metrics,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#delay = new LoopDelay(runtime);
  }

  /** @throws PxlWebSocketSetupError when the registry has one of the metrics already */
  onModuleInit(): void {
    const { registry } = this.options.metrics;
    if (!registry) return;
    const metrics = allMetrics();
    const taken = metrics.find(({ name }) => !isFree(registry.getSingleMetric(name)));
    if (taken) {
      throw new PxlWebSocketSetupError(
        `The registry of metrics has a metric ${taken.name} already: each application needs a registry of its own.`,
      );
    }
    for (const metric of metrics) {
      const collected = new CollectedMetric(metric, () => this.#read().get(metric.name) ?? []);
      registry.removeSingleMetric(metric.name);
      registry.registerMetric(collected);
      this.#registered.set(metric.name, collected);
    }
    this.#delay.start();
  }

  onModuleDestroy(): void {
    for (const metric of this.#registered.values()) metric.isEnding = true;
  }

  onApplicationShutdown(): void {
    this.#delay.stop();
    const { registry } = this.options.metrics;
    for (const [name, metric] of this.#registered) {
      // The application may have cleared the registry, and another one may show its own numbers there by now.
      if (registry?.getSingleMetric(name) === metric) registry.removeSingleMetric(name);
    }
    this.#registered.clear();
  }

  *metrics(): Iterable<WebSocketMetric> {
    for (const { percentile, seconds } of this.#delay.read()) {
      yield gauge('event_loop_delay_seconds', seconds, { percentile: String(percentile) });
    }
  }

  #read(): ReadonlyMap<string, readonly WebSocketMetric[]> {
    if (this.#snapshot) return this.#snapshot;
    const byName = new Map<string, WebSocketMetric[]>();
    for (const metric of this.metricsOfWorker.read()) {
      const others = byName.get(metric.name);
      if (others) others.push(metric);
      else byName.set(metric.name, [metric]);
    }
    this.#snapshot = byName;
    this.runtime.afterIo(() => (this.#snapshot = null));
    return byName;
  }
}

function isFree(found: unknown): boolean {
  return found === undefined || (found instanceof CollectedMetric && found.isEnding);
}

function* valuesOf({ name, value, labels = {}, buckets, sum }: WebSocketMetric): Generator<CollectedValue> {
  if (!buckets || sum === undefined) {
    yield { value, labels };
    return;
  }
  for (const { le, count } of buckets) yield { metricName: `${name}_bucket`, value: count, labels: { ...labels, le } };
  yield { metricName: `${name}_bucket`, value, labels: { ...labels, le: '+Inf' } };
  yield { metricName: `${name}_sum`, value: sum, labels };
  yield { metricName: `${name}_count`, value, labels };
}
