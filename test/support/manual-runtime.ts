import { Runtime, type RuntimeTimer } from '../../lib/runtime/runtime.js';

interface Pending {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test turns it: `override: (b) => b.overrideProvider(Runtime).useValue(clock)`. */
export class ManualRuntime extends Runtime {
  #now = 1_700_000_000_000;
  readonly #timers = new Set<Pending>();

  override now(): number {
    return this.#now;
  }

  override monotonic(): number {
    return this.#now;
  }

  override timeout(ms: number, callback: () => void): RuntimeTimer {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  override deadline(ms: number, callback: () => void): RuntimeTimer {
    return this.timeout(ms, callback);
  }

  /** How many timers are set. */
  get size(): number {
    return this.#timers.size;
  }

  /** Turns the clock on by `ms`; what is due on the way runs in order, with the turn's I/O in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#now = Math.max(this.#now, next.at);
      this.#fire(next);
      await turn();
    }
    this.#now = end;
    await turn();
  }

  /** The process stood still for `ms`: the clock jumps, and everything due runs late, at once. */
  async stall(ms: number): Promise<void> {
    this.#now += ms;
    const due = [...this.#timers].filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    for (const timer of due) this.#fire(timer);
    await turn();
  }

  #fire(timer: Pending): void {
    this.#timers.delete(timer);
    timer.callback();
  }
}

/** Two turns of the event loop: what the first one wrote, the second one has read. */
async function turn(): Promise<void> {
  for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
}
