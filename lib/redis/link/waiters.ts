import type { Runtime } from '../../runtime/runtime.js';
import { Deadlines } from './deadlines.js';

interface Waiter {
  readonly key: string;
  resolve(): void;
  reject(error: Error): void;
}

/** Promises that wait for named events, each for a limited time. */
export class Waiters {
  readonly #byKey = new Map<string, Set<Waiter>>();
  readonly #deadlines: Deadlines<Waiter>;

  /** @param late makes the error of a promise whose time is over */
  constructor(runtime: Runtime, ms: number, late: () => Error) {
    this.#deadlines = new Deadlines(runtime, ms, (overdue) => {
      for (const waiter of overdue) {
        this.#remove(waiter);
        waiter.reject(late());
      }
    });
  }

  wait(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { key, resolve, reject };
      const waiting = this.#byKey.get(key);
      if (waiting) waiting.add(waiter);
      else this.#byKey.set(key, new Set([waiter]));
      this.#deadlines.add(waiter);
    });
  }

  resolve(key: string): void {
    for (const waiter of this.#take(key)) waiter.resolve();
  }

  reject(key: string, error: Error): void {
    for (const waiter of this.#take(key)) waiter.reject(error);
  }

  rejectAll(error: Error): void {
    for (const key of [...this.#byKey.keys()]) this.reject(key, error);
  }

  #take(key: string): Iterable<Waiter> {
    const waiting = this.#byKey.get(key) ?? new Set();
    this.#byKey.delete(key);
    for (const waiter of waiting) this.#deadlines.delete(waiter);
    return waiting;
  }

  #remove(waiter: Waiter): void {
    const waiting = this.#byKey.get(waiter.key);
    waiting?.delete(waiter);
    if (waiting?.size === 0) this.#byKey.delete(waiter.key);
  }
}
