import type { OwnEndpoint, WorkerSample } from '../cluster/calls/inspection.js';
import type { HistogramBucket } from '../runtime/metrics/histogram.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Inspector } from '../server/inspection/inspector.js';
import type { ConsoleRoutes, EndpointReport, RouteReport } from './console-contract.js';

/** Milliseconds for which an answer serves all pages that ask. */
const FRESH = 900;
/** Milliseconds after which the answer before is too old to tell calls per second from. */
const STALE = 15_000;
const UNMEASURED = { calls: 0, errors: 0, buckets: new Map<number, number>() };

interface RouteCounts {
  readonly calls: number;
  readonly errors: number;
  /** How many took at most so many seconds. */
  readonly buckets: ReadonlyMap<number, number>;
}

interface Counted {
  readonly at: number;
  readonly counts: ReadonlyMap<string, RouteCounts>;
}

/** The endpoints and routes of all workers, with their times. */
export class RouteTimes {
  #before: Counted | null = null;
  #last: { readonly at: number; readonly answer: Promise<ConsoleRoutes> } | null = null;

  constructor(
    private readonly inspector: Inspector,
    private readonly runtime: Runtime,
  ) {}

  read(): Promise<ConsoleRoutes> {
    const at = this.runtime.monotonic();
    if (!this.#last || at - this.#last.at >= FRESH) this.#last = { at, answer: this.#read(at) };
    return this.#last.answer;
  }

  async #read(at: number): Promise<ConsoleRoutes> {
    const { answers } = await this.inspector.ask<'sample'>({ what: 'sample', withRoutes: true });
    const samples = answers.map(({ value }) => value);
    const now = { at, counts: countsOf(samples) };
    const before = this.#before && at - this.#before.at < STALE ? this.#before : null;
    this.#before = now;
    const endpoints = samples.flatMap((sample) => sample.endpoints ?? []);
    return { endpoints: endpointsOf(endpoints), routes: routesOf(endpoints, now, before) };
  }
}

function endpointsOf(all: readonly OwnEndpoint[]): EndpointReport[] {
  const reports = new Map<string, EndpointReport>();
  for (const { path, port, protocol, connections, routes } of all) {
    const key = `${port} ${path}`;
    const before = reports.get(key);
    const names = new Set([...(before?.routes ?? []), ...routes.map(({ key: name }) => name)]);
    const sum = connections + (before?.connections ?? 0);
    reports.set(key, { path, port, protocol, connections: sum, routes: [...names] });
  }
  return [...reports.values()];
}

function routesOf(endpoints: readonly OwnEndpoint[], now: Counted, before: Counted | null): RouteReport[] {
  const sources = new Map<string, Set<string>>();
  for (const { key, source } of endpoints.flatMap(({ routes }) => routes)) {
    sources.set(key, (sources.get(key) ?? new Set<string>()).add(source));
  }
  return Array.from(sources, ([name, ofRoute]) => {
    const { calls, errors, buckets } = now.counts.get(name) ?? UNMEASURED;
    const former = before?.counts.get(name)?.calls ?? 0;
    const perSecond = before ? Math.max(0, calls - former) / ((now.at - before.at) / 1_000) : 0;
    return {
      name,
      sources: [...ofRoute],
      isOwn: [...ofRoute].every((source) => source.startsWith('system.')),
      calls,
      callsPerSecond: Math.round(perSecond * 10) / 10,
      errors,
      p50: quantileOf(buckets, calls, 0.5),
      p99: quantileOf(buckets, calls, 0.99),
    };
  });
}

function countsOf(samples: readonly WorkerSample[]): Map<string, RouteCounts> {
  const all = new Map<string, RouteCounts>();
  for (const { route, times, failures } of samples.flatMap(({ routes = [] }) => routes)) {
    const { calls, errors, buckets } = all.get(route) ?? UNMEASURED;
    const sums = addTo(buckets, times.buckets);
    all.set(route, { calls: calls + times.count, errors: errors + failures, buckets: sums });
  }
  return all;
}

function addTo(buckets: ReadonlyMap<number, number>, more: readonly HistogramBucket[]): Map<number, number> {
  return new Map(more.map(({ le, count }) => [le, count + (buckets.get(le) ?? 0)]));
}

/** Milliseconds, between the bounds of its bucket in proportion, as Prometheus' `histogram_quantile` estimates it. */
function quantileOf(buckets: ReadonlyMap<number, number>, calls: number, quantile: number): number | null {
  if (calls === 0) return null;
  const rank = calls * quantile;
  let [from, below] = [0, 0];
  for (const [to, count] of buckets) {
    if (count >= rank) return Math.round((from + ((to - from) * (rank - below)) / (count - below)) * 10_000) / 10;
    [from, below] = [to, count];
  }
  return from * 1_000;
}
