import { Injectable } from '@nestjs/common';
import { Runtime } from '../runtime/runtime.js';
import type { WsRate, RateStore } from './rate-store.interface.js';

/** After how many new keys the windows that have ended are removed. */
const SWEEP_EACH = 1_024;

interface Window {
  readonly endsAt: number;
  uses: number;
}

/** Keeps windows in this process: each begins with the first use of its key and ends `ttl` later. */
@Injectable()
export class MemoryRateStore implements RateStore {
  readonly #windows = new Map<string, Window>();
  #begun = 0;

  constructor(private readonly runtime: Runtime) {}

  /** How many windows are kept. */
  get size(): number {
    return this.#windows.size;
  }

  use(key: string, { limit, ttl }: WsRate): number {
    const now = this.runtime.monotonic();
    let window = this.#windows.get(key);
    if (!window || window.endsAt <= now) window = this.#begin(key, ttl, now);
    if (window.uses >= limit) return Math.ceil(window.endsAt - now);
    window.uses++;
    return 0;
  }

  /** Remembers that the window of a key is full for so many ms, as another store has found out. */
  fill(key: string, ms: number): void {
    this.#begin(key, ms, this.runtime.monotonic()).uses = Infinity;
  }

  /** The ms for which a window stays full that {@link fill} has reported; otherwise 0. */
  leftOfFull(key: string): number {
    const window = this.#windows.get(key);
    return window?.uses === Infinity ? Math.max(0, Math.ceil(window.endsAt - this.runtime.monotonic())) : 0;
  }

  #begin(key: string, ttl: number, now: number): Window {
    if (++this.#begun % SWEEP_EACH === 0) this.#sweep(now);
    const window = { endsAt: now + ttl, uses: 0 };
    this.#windows.set(key, window);
    return window;
  }

  #sweep(now: number): void {
    for (const [key, { endsAt }] of this.#windows) if (endsAt <= now) this.#windows.delete(key);
  }
}
