import type { Unsubscribe } from '../../client/index.js';
import type { ConsoleLive, ConsoleSample, KnownWorker, RateSample, WorkerReport } from '../console-contract.js';
import { Series, WINDOW } from './charts/series.js';

/** The numbers of the whole cluster that have a line. */
export const CLUSTER_NUMBERS = ['connections', 'received', 'sent', 'connects', 'errors', 'loopDelay'] as const;
/** Those of a worker. */
export const WORKER_NUMBERS = ['connections', 'received', 'sent', 'cpu', 'memory', 'loopDelay'] as const;

type Lines<Name extends string> = Readonly<Record<Name, Series>>;

/** What is pushed every second, and what the last minutes were. It stays while there is no connection. */
export class Live {
  workers: readonly WorkerReport[] = [];
  /** When the workers told that, ms since 1970; undefined before the first time. */
  sampledAt: number | undefined;
  readonly cluster = linesOf(CLUSTER_NUMBERS);
  readonly #byWorker = new Map<string, Lines<(typeof WORKER_NUMBERS)[number]>>();
  #rates: RateSample[] = [];
  readonly #listeners = new Set<() => void>();

  onSample(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes what was known when the page began to look: of a time that it has seen itself, it knows more. */
  begin({ workers, history }: ConsoleLive): void {
    const known = this.#rates.at(-1)?.at ?? 0;
    for (const rates of history) if (rates.at > known) this.#add(rates);
    this.#show(workers);
  }

  take({ workers, rates }: ConsoleSample): void {
    if (rates && rates.at > (this.#rates.at(-1)?.at ?? 0)) this.#add(rates, workers);
    for (const worker of knownOf(workers)) this.#addWorker(worker, rates?.at ?? Date.now());
    this.#show(workers);
  }

  /** From now on nothing is known: the lines get a gap. */
  interrupt(): void {
    const at = this.#rates.at(-1)?.at;
    if (at === undefined) return;
    for (const lines of [this.cluster, ...this.#byWorker.values()]) {
      for (const series of Object.values(lines)) if (series.last && series.last.value !== null) series.add(at, null);
    }
  }

  linesOf(workerId: string): Lines<(typeof WORKER_NUMBERS)[number]> {
    const lines = this.#byWorker.get(workerId) ?? linesOf(WORKER_NUMBERS);
    this.#byWorker.set(workerId, lines);
    return lines;
  }

  /** How many connections ended, or errors there were, in the time that the charts show: by code, the most frequent first. */
  countsOf(kind: 'closesByCode' | 'errorsByCode'): [code: string, count: number][] {
    const counts = new Map<string, number>();
    // One sample tells of one second.
    for (const rates of this.#rates) {
      for (const [code, perSecond] of Object.entries(rates[kind]))
        counts.set(code, (counts.get(code) ?? 0) + perSecond);
    }
    return [...counts]
      .map(([code, number]) => [code, Math.round(number)] as [string, number])
      .sort((a, b) => b[1] - a[1]);
  }

  #add(rates: RateSample, workers: readonly WorkerReport[] = []): void {
    this.#rates.push(rates);
    this.#rates = this.#rates.filter(({ at }) => at >= rates.at - WINDOW);
    const { connections, received, sent, connects, errors } = this.cluster;
    connections.add(rates.at, rates.connections);
    received.add(rates.at, rates.received);
    sent.add(rates.at, rates.sent);
    connects.add(rates.at, rates.connects);
    errors.add(rates.at, rates.errors);
    const delays = knownOf(workers).map(({ loopDelay }) => loopDelay.p99);
    this.cluster.loopDelay.add(rates.at, delays.length ? Math.max(...delays) : null);
  }

  #addWorker({ workerId, cpu, memory, loopDelay, connections, rates }: KnownWorker, at: number): void {
    const lines = this.linesOf(workerId);
    lines.connections.add(at, connections);
    lines.received.add(at, rates.received);
    lines.sent.add(at, rates.sent);
    lines.cpu.add(at, cpu);
    lines.memory.add(at, memory.rss);
    lines.loopDelay.add(at, loopDelay.p99);
  }

  #show(workers: readonly WorkerReport[]): void {
    this.workers = workers;
    this.sampledAt = Date.now();
    // What a worker was that has gone long ago, nobody asks.
    const present = new Set(workers.map(({ workerId }) => workerId));
    for (const [workerId, { connections }] of this.#byWorker) {
      if (!present.has(workerId) && (connections.last?.at ?? 0) < Date.now() - WINDOW) this.#byWorker.delete(workerId);
    }
    for (const listener of this.#listeners) listener();
  }
}

export function knownOf(workers: readonly WorkerReport[]): KnownWorker[] {
  return workers.filter((worker) => worker.kind === 'known');
}

function linesOf<Name extends string>(names: readonly Name[]): Lines<Name> {
  return Object.fromEntries(names.map((name) => [name, new Series()])) as Record<Name, Series>;
}
