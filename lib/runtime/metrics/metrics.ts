import type { HistogramBucket, HistogramCounts } from './histogram.js';
import { METRIC_CATALOG, type Aggregator, type Entry } from './metric-catalog.js';

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

/** A part of the library that counts. */
export interface MetricSource {
  metrics(): Iterable<WebSocketMetric>;
}

type Catalog = typeof METRIC_CATALOG;
type Name = keyof Catalog;
type NameOf<Kind> = { [Each in Name]: Catalog[Each][0] extends Kind ? Each : never }[Name];
/** What stands behind the value: the labels of a metric that has some, else nothing. */
type Labels<Of extends Name> = Catalog[Of] extends readonly [
  unknown,
  unknown,
  { readonly labels: readonly (infer Label)[] },
]
  ? [labels: Readonly<Record<Extract<Label, string>, string>>]
  : [];

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

export function counter<Of extends NameOf<'counter'>>(name: Of, value: number, ...labels: Labels<Of>): WebSocketMetric {
  return { ...describe(name), value, labels: labels[0] };
}

export function gauge<Of extends NameOf<'gauge'>>(name: Of, value: number, ...labels: Labels<Of>): WebSocketMetric {
  return { ...describe(name), value, labels: labels[0] };
}

export function histogram<Of extends NameOf<'histogram'>>(
  name: Of,
  { count, sum, buckets }: HistogramCounts,
  ...labels: Labels<Of>
): WebSocketMetric {
  return { ...describe(name), value: count, sum, buckets, labels: labels[0] };
}

/** What a metric is, without its values. */
type Description = Pick<WebSocketMetric, 'name' | 'kind' | 'help'>;

/** A metric of all workers. */
export interface CataloguedMetric extends Description {
  /** The names of its labels. */
  readonly labels: readonly string[];
  /** How the numbers of several workers become one. */
  readonly aggregator: Aggregator;
}

/** All that a worker may tell. */
export function allMetrics(): CataloguedMetric[] {
  return (Object.keys(METRIC_CATALOG) as Name[]).map((name) => {
    const [, , facts = {}]: Entry = METRIC_CATALOG[name];
    const { labels = [], aggregator = 'sum' } = facts;
    return { ...describe(name), labels, aggregator };
  });
}

function describe(name: Name): Description {
  const [kind, help] = METRIC_CATALOG[name];
  return { name: `pxl_ws_${name}${kind === 'counter' ? '_total' : ''}`, kind, help };
}
