import type { WorkerSample } from '../cluster/calls/inspection.js';
import type { Runtime, RuntimeTimer } from '../runtime/runtime.js';
import type { Inspected, Inspector } from '../server/inspection/inspector.js';
import type { ConsoleLive, ConsoleSample, KnownWorker, RateSample, WorkerReport } from './console-contract.js';
import { ratesBetween, sumOf, type WorkerRates } from './worker-rates.js';

/** Milliseconds between two samples. */
const PERIOD = 1_000;
/** Samples that are kept: five minutes. */
const KEPT = 300;

/** Takes one sample of all workers a second while anybody looks, for all who do. */
export class LiveSamples {
  readonly #watchers = new Set<object>();
  /** The sample before, by worker. */
  #before = new Map<string, WorkerSample>();
  #history: RateSample[] = [];
  #workers: readonly WorkerReport[] = [];
  #timer: RuntimeTimer | null = null;
  #first: Promise<void> | null = null;

  /** @param push tells all who look */
  constructor(
    private readonly inspector: Inspector,
    private readonly runtime: Runtime,
    private readonly push: (watchers: Iterable<object>, sample: ConsoleSample) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Resolves once there is a sample. */
  async watch(watcher: object): Promise<ConsoleLive> {
    this.#watchers.add(watcher);
    await (this.#first ??= this.#begin());
    return { workers: this.#workers, history: this.#history };
  }

  unwatch(watcher: object): void {
    if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#end();
  }

  async #begin(): Promise<void> {
    try {
      await this.#sample();
    } catch (error) {
      this.#first = null; // whoever asks next gets another one
      throw error;
    }
    if (this.#watchers.size > 0) this.#later(PERIOD);
  }

  #end(): void {
    this.#timer?.cancel();
    this.#timer = this.#first = null;
    this.#before = new Map();
    this.#history = [];
  }

  #later(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.runtime.timeout(ms, () => void this.#again());
  }

  async #again(): Promise<void> {
    const begunAt = this.runtime.monotonic();
    try {
      const rates = await this.#sample();
      this.push(this.#watchers, { workers: this.#workers, rates });
    } catch (error) {
      this.failed(error);
    }
    if (this.#watchers.size > 0) this.#later(Math.max(0, PERIOD - (this.runtime.monotonic() - begunAt)));
  }

  async #sample(): Promise<RateSample | undefined> {
    const found = await this.inspector.ask<'sample'>({ what: 'sample', withRoutes: false });
    const rates: WorkerRates[] = [];
    const known = found.answers.map(({ workerId, value }) => {
      const own = ratesBetween(this.#before.get(workerId), value);
      if (own) rates.push(own);
      return reportOf(value, own);
    });
    this.#workers = [...known, ...unknownOf(found)];
    this.#before = new Map(found.answers.map(({ workerId, value }) => [workerId, value]));
    if (rates.length === 0) return undefined;
    const connections = known.reduce((sum, worker) => sum + worker.connections, 0);
    const sample: RateSample = { at: this.runtime.now(), connections, ...sumOf(rates) };
    if (this.#history.push(sample) > KEPT) this.#history.shift();
    return sample;
  }
}

const STILL = { received: 0, sent: 0, connects: 0, disconnects: 0, errors: 0 };

function reportOf({ worker }: WorkerSample, own: WorkerRates | undefined): KnownWorker {
  const { cpu, rates } = own ?? { cpu: null, rates: STILL };
  return { kind: 'known', ...worker, cpu, rates };
}

function unknownOf({ older, silent }: Inspected<'sample'>): WorkerReport[] {
  const report = (kind: 'older' | 'silent') => (workerId: string) => ({ kind, workerId });
  return [...older.map(report('older')), ...silent.map(report('silent'))];
}
