import type { CataloguedMetric } from '../../lib/runtime/metrics/metrics.js';

/** The functions and operators that the project's queries use. */
const WORDS = ['by', 'count', 'histogram_quantile', 'increase', 'max', 'min', 'rate', 'sum'];
/** What Prometheus adds to each sample of a worker. */
const OF_TARGET = ['instance', 'job'];
/** What a histogram is exposed as. */
const PARTS = /_(?:bucket|count|sum)$/;

/**
 * What is wrong with a query of Prometheus, in sentences: names and labels that no worker exposes, counters without a rate, gauges
 * with one. It reads the small part of the language that the project's queries use.
 */
export function problemsOf(query: string, metrics: readonly CataloguedMetric[]): string[] {
  const byName = new Map(metrics.map((metric) => [metric.name, metric]));
  const problems: string[] = [];
  const labels = new Set(OF_TARGET);
  const selectors = [...query.matchAll(/(\w+\()?\b(pxl_ws_\w+)(?:\{([^}]*)\})?(\[)?/g)];
  if (selectors.length === 0) problems.push('It asks for no metric.');
  for (const [, call, name = '', matchers = '', range] of selectors) {
    const metric = byName.get(name) ?? byName.get(name.replace(PARTS, ''));
    if (!metric || (metric.kind === 'histogram') !== (metric.name !== name)) {
      problems.push(`There is no ${name}.`);
      continue;
    }
    const known = [...metric.labels, ...OF_TARGET, ...(name.endsWith('_bucket') ? ['le'] : [])];
    for (const label of known) labels.add(label);
    for (const [, label = ''] of matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)) {
      if (!known.includes(label)) problems.push(`${name} has no label ${label}.`);
    }
    const isRate = range !== undefined && (call === 'rate(' || call === 'increase(');
    if (isRate === (metric.kind === 'gauge')) problems.push(`${name} is a ${metric.kind}.`);
  }
  for (const [, list = ''] of query.matchAll(/\bby \(([^)]*)\)/g)) {
    for (const label of list.split(', ')) if (!labels.has(label)) problems.push(`Nothing has a label ${label}.`);
  }
  if (/_bucket\b/.test(query) && !/histogram_quantile\([\d.]+, sum by \([^)]*\ble\) \(rate\(/.test(query)) {
    problems.push('Buckets are summed by le.');
  }
  const rest = query.replace(/\bpxl_ws_\w+(\{[^}]*\})?(\[[^\]]*\])?|\bby \([^)]*\)/g, '');
  for (const [word] of rest.matchAll(/[a-z_]+/g)) if (!WORDS.includes(word)) problems.push(`What is ${word}?`);
  if (count(query, '(') !== count(query, ')')) problems.push('Its brackets are not closed.');
  return problems;
}

/** The metrics that a query asks for, as they are exposed. */
export function metricsIn(query: string): string[] {
  return [...query.matchAll(/\bpxl_ws_\w+/g)].map(([name]) => name);
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
