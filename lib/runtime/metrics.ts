/** One number of this worker. */
export interface WebSocketMetric {
  /** Named as Prometheus recommends: it begins with `pxl_ws_` and tells the unit; counters end in `_total`. */
  readonly name: string;
  /** A counter only grows from the start of the process; a gauge is the present value. */
  readonly kind: 'counter' | 'gauge';
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A part of the library that counts. */
export interface MetricSource {
  metrics(): Iterable<WebSocketMetric>;
}

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

export function counter(name: string, value: number, labels?: Readonly<Record<string, string>>): WebSocketMetric {
  return { name: `pxl_ws_${name}_total`, kind: 'counter', value, labels };
}

export function gauge(name: string, value: number): WebSocketMetric {
  return { name: `pxl_ws_${name}`, kind: 'gauge', value };
}
