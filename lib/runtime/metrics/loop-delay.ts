import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { Runtime, RuntimeTimer } from '../runtime.js';

/** Milliseconds between two looks at the clock. */
const RESOLUTION = 20;
/** Milliseconds after which values are forgotten at the earliest. */
const MEMORY = 60_000;
/** 100: the longest delay. */
const PERCENTILES = [50, 99, 100] as const;

/** By how much the event loop was late. */
export interface LatePercentile {
  readonly percentile: (typeof PERCENTILES)[number];
  readonly seconds: number;
}

/**
 * By how much the event loop is late, over the last one to two minutes: so whoever reads it, and how often, takes nothing away from
 * others.
 */
export class LoopDelay {
  #monitor: IntervalHistogram | null = null;
  /** Those of the minute before. */
  #before: readonly number[] = [];
  #timer: RuntimeTimer | null = null;

  constructor(private readonly runtime: Runtime) {}

  start(): void {
    if (this.#monitor) return;
    this.#monitor = monitorEventLoopDelay({ resolution: RESOLUTION });
    this.#monitor.enable();
    this.#turnLater();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#monitor?.disable();
    this.#monitor = null;
    this.#before = [];
  }

  /** The percentiles 50, 99 and 100, which is the longest delay; none before the start. */
  read(): LatePercentile[] {
    const monitor = this.#monitor;
    if (!monitor) return [];
    const now = secondsOf(monitor);
    return PERCENTILES.map((percentile, at) => ({
      percentile,
      seconds: Math.max(now[at] ?? 0, this.#before[at] ?? 0),
    }));
  }

  #turnLater(): void {
    this.#timer = this.runtime.timeout(MEMORY, () => {
      if (!this.#monitor) return;
      this.#before = secondsOf(this.#monitor);
      this.#monitor.reset();
      this.#turnLater();
    });
  }
}

/** What is measured is the time between two looks, so their distance is taken off. */
function secondsOf(monitor: IntervalHistogram): number[] {
  return PERCENTILES.map((percentile) => {
    const nanoseconds = percentile === 100 ? monitor.max : monitor.percentile(percentile);
    return Math.max(0, nanoseconds / 1e9 - RESOLUTION / 1_000);
  });
}
