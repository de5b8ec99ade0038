import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** A timer that is late by more than this (ms) shows that this process stood still, not that others are silent. */
const STALL = 300;
/** How often in a row a verdict is postponed at most: a process that is always late has to reach one, too. */
const MAX_POSTPONED = 3;

/** Items that have to be done within the same time each. One timer serves all of them. */
export class Deadlines<T> {
  /** When each was added. The order is that of their deadlines. */
  readonly #since = new Map<T, number>();
  #timer: RuntimeTimer | null = null;
  #postponed = 0;

  /** @param late takes the overdue items, which are removed before */
  constructor(
    private readonly runtime: Runtime,
    private readonly ms: number,
    private readonly late: (overdue: T[]) => void,
  ) {}

  get size(): number {
    return this.#since.size;
  }

  /** Starts an item's time, or restarts it. */
  add(item: T): void {
    this.#since.delete(item);
    this.#since.set(item, this.runtime.monotonic());
    if (!this.#timer) this.#arm(this.ms);
  }

  /**
   * The item is done.
   *
   * @returns whether it was in time
   */
  delete(item: T): boolean {
    return this.#since.delete(item);
  }

  /** Whether its time is running. */
  has(item: T): boolean {
    return this.#since.has(item);
  }

  /** Removes and returns all items. */
  takeAll(): T[] {
    const items = [...this.#since.keys()];
    this.#since.clear();
    this.#timer?.cancel();
    this.#timer = null;
    return items;
  }

  #arm(ms: number): void {
    this.#timer = this.runtime.fairTimeout(ms, (wasStalled) => this.#fire(wasStalled), STALL);
  }

  #fire(wasStalled: boolean): void {
    this.#timer = null;
    const now = this.runtime.monotonic();
    // Answers that came while this process stood still were not read yet: the verdict waits half the time again.
    const isStalled = wasStalled && this.#postponed < MAX_POSTPONED;
    this.#postponed = isStalled ? this.#postponed + 1 : 0;
    const overdue = isStalled ? [] : this.#takeOverdue(now);
    const [oldest] = this.#since.values();
    if (oldest !== undefined) this.#arm(isStalled ? this.ms / 2 : Math.max(1, oldest + this.ms - now));
    if (overdue.length > 0) this.late(overdue);
  }

  #takeOverdue(now: number): T[] {
    const overdue: T[] = [];
    for (const [item, since] of this.#since) {
      if (now - since < this.ms) break;
      overdue.push(item);
      this.#since.delete(item);
    }
    return overdue;
  }
}
