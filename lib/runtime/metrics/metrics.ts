import type { HistogramBucket, HistogramCounts } from './histogram.js';
import { METRIC_CATALOG, type Aggregator } from './metric-catalog.js';

/** One number of this worker, or one histogram. */
export interface WebSocketMetric {
  /** Named as Prometheus recommends: it begins with `pxl_ws_` and tells the unit; counters end in `_total`. */
  readonly name: string;
  /** A counter only grows from the start of the process; a gauge is the present value; a histogram counts values in buckets. */
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** What it tells, in a sentence. */
  readonly help: string;
  /** Of a histogram: how many values it has counted. */
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Of a histogram: the sum of its values. */
  readonly sum?: number;
  /** Of a histogram: how many values were at most `le`, for each bound. Those above the last one are in `value` only. */
  readonly buckets?: readonly HistogramBucket[];
}

type Labels = WebSocketMetric['labels'];

/** A part of the library that counts. */
export interface MetricSource {
  metrics(): Iterable<WebSocketMetric>;
}

type Catalog = typeof METRIC_CATALOG;
type NameOf<Kind> = { [Name in keyof Catalog]: Catalog[Name][0] extends Kind ? Name : never }[keyof Catalog];

/** Collects the numbers of all parts of this worker when they are read. */
export class Metrics {
  readonly #sources: MetricSource[] = [];

  add(source: MetricSource): void {
    this.#sources.push(source);
  }

  read(): WebSocketMetric[] {
    return this.#sources.flatMap((source) => [...source.metrics()]);
  }
}

export function counter(name: NameOf<'counter'>, value: number, labels?: Labels): WebSocketMetric {
  return { ...describe(name), value, labels };
}

export function gauge(name: NameOf<'gauge'>, value: number, labels?: Labels): WebSocketMetric {
  return { ...describe(name), value, labels };
}

export function histogram(
  name: NameOf<'histogram'>,
  { count, sum, buckets }: HistogramCounts,
  labels?: Labels,
): WebSocketMetric {
  return { ...describe(name), value: count, sum, buckets, labels };
}

/** What a metric is, without its values. */
type Description = Pick<WebSocketMetric, 'name' | 'kind' | 'help'>;

/** A metric of all workers. */
export interface CataloguedMetric extends Description {
  /** How the numbers of several workers become one. */
  readonly aggregator: Aggregator;
}

/** All that a worker may tell. */
export function allMetrics(): CataloguedMetric[] {
  return (Object.keys(METRIC_CATALOG) as (keyof Catalog)[]).map((name) => {
    const [, , aggregator = 'sum'] = METRIC_CATALOG[name];
    return { ...describe(name), aggregator };
  });
}

function describe(name: keyof Catalog): Description {
  const [kind, help] = METRIC_CATALOG[name];
  return { name: `pxl_ws_${name}${kind === 'counter' ? '_total' : ''}`, kind, help };
}
