import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';
import { Backoff } from '../link/backoff.js';

/** What Redis refused, and what is therefore not asked for again for a while: longer, the more often it refuses. */
export class RefusedChannels {
  readonly #barred = new Set<string>();
  readonly #backoff: Backoff;
  #timer: RuntimeTimer | null = null;

  /** @param lifted takes all that may be tried again */
  constructor(
    private readonly runtime: Runtime,
    private readonly lifted: (names: string[]) => void,
  ) {
    this.#backoff = new Backoff(runtime, 1_000, 10_000);
  }

  /** Whether nothing is barred. */
  get isEmpty(): boolean {
    return this.#barred.size === 0;
  }

  has(name: string): boolean {
    return this.#barred.has(name);
  }

  /**
   * Bars a name until the others are free too.
   *
   * @returns whether it is the first one
   */
  add(name: string): boolean {
    this.#barred.add(name);
    if (this.#timer) return false;
    this.#timer = this.runtime.timeout(this.#backoff.next(), () => {
      const names = [...this.#barred];
      this.stop();
      this.lifted(names);
    });
    return true;
  }

  delete(name: string): void {
    this.#barred.delete(name);
  }

  /** Nothing is refused any more, so far as is known. */
  settle(): void {
    if (!this.#timer) this.#backoff.reset();
  }

  /** Frees all, and lets the timer go. */
  stop(): void {
    this.#barred.clear();
    this.#timer?.cancel();
    this.#timer = null;
  }
}
