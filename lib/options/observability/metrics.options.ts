import { isGroup, type OptionChecks } from '../checks/option-checks.js';

/** The part of prom-client's `Registry` that is used: a registry of prom-client 15 fits. */
export interface WsMetricsRegistry {
  registerMetric(metric: { get(): unknown; reset(): void }): void;
  getSingleMetric(name: string): unknown;
  removeSingleMetric(name: string): void;
}

export interface WsMetricsOptions {
  /**
   * Where the worker's numbers can be read by Prometheus: `register` of prom-client, or a `Registry` of your own. From the start to
   * the stop of the application it holds all metrics of `getMetrics()`, and then also times are measured. Default: none.
   */
  registry?: WsMetricsRegistry | undefined;
}

export interface ResolvedMetrics {
  /** Undefined: nothing is measured that has a price. */
  readonly registry: WsMetricsRegistry | undefined;
}

const METHODS = ['registerMetric', 'getSingleMetric', 'removeSingleMetric'] as const;

export function resolveMetrics(metrics: OptionChecks): ResolvedMetrics {
  const registry = metrics.raw('registry');
  if (registry === undefined || isRegistry(registry)) return { registry };
  return metrics.refuse('registry', 'a registry of prom-client');
}

function isRegistry(value: unknown): value is WsMetricsRegistry {
  return isGroup(value) && METHODS.every((method) => typeof value[method] === 'function');
}
