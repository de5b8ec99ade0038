import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** A timer that fires so much later (ms) tells that this process stood still, not that others are silent. */
const STALL = 300;
/** Times in a row that a verdict is put off at most: a process that is always late has to come to a verdict, too. */
const PATIENCE = 3;

/** What has to be over within a given time, each in the same: one timer serves all of them. */
export class Deadlines<T> {
  /** In the order in which they were added, and so in that of their deadlines. */
  readonly #since = new Map<T, number>();
  #timer: RuntimeTimer | null = null;
  #firesAt = 0;
  #postponed = 0;

  /** @param late takes those whose time is over; they are forgotten already */
  constructor(
    private readonly runtime: Runtime,
    private readonly ms: number,
    private readonly late: (overdue: T[]) => void,
  ) {}

  get size(): number {
    return this.#since.size;
  }

  /** Its time begins, anew when it is known already. */
  add(item: T): void {
    this.#since.delete(item);
    this.#since.set(item, this.runtime.monotonic());
    if (!this.#timer) this.#arm(this.ms);
  }

  /**
   * It is over.
   *
   * @returns whether that was in time
   */
  delete(item: T): boolean {
    return this.#since.delete(item);
  }

  /** Forgets all of them. */
  takeAll(): T[] {
    const items = [...this.#since.keys()];
    this.#since.clear();
    this.#timer?.cancel();
    this.#timer = null;
    return items;
  }

  #arm(ms: number): void {
    this.#firesAt = this.runtime.monotonic() + ms;
    this.#timer = this.runtime.timeout(ms, () => this.#fire());
  }

  #fire(): void {
    this.#timer = null;
    const now = this.runtime.monotonic();
    // What was answered while this process stood still has not been read yet: the verdict waits half a round.
    const isStalled = now - this.#firesAt > STALL && this.#postponed < PATIENCE;
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
