import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks';

/** How busy a process was. */
export interface Busyness {
  /** The part of the time in which its event loop had something to do, 0 to 1. */
  readonly loop: number;
  /** How late the loop was for its timers: of 100 samples one is later. ms. */
  readonly delayP99: number;
  readonly delayMost: number;
}

/** The time between two samples, which the measured delay contains, ms. */
const RESOLUTION = 10;

/** Watches whether this process keeps up with what it has to do: where it does not, what it measures is itself. */
export class LoopWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  #begin: EventLoopUtilization = performance.eventLoopUtilization();

  start(): void {
    this.#delay.enable();
    this.#begin = performance.eventLoopUtilization();
  }

  stop(): Busyness {
    this.#delay.disable();
    const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
    return {
      loop: performance.eventLoopUtilization(this.#begin).utilization,
      delayP99: this.#delay.count > 0 ? ms(this.#delay.percentile(99)) : 0,
      delayMost: this.#delay.count > 0 ? ms(this.#delay.max) : 0,
    };
  }
}
