import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** A beat that is late by more than this part of a lease shows that this process stood still. */
const STALL = 1 / 10;
/** Beats per lease. */
const BEATS = 20;

/** Does some work periodically, one run at a time. */
export class Beat {
  readonly #period: number;
  #timer: RuntimeTimer | null = null;
  #present: Promise<void> | null = null;
  #isDue = false;
  #isStopped = false;

  /**
   * @param lease ms
   * @param work gets whether this process stood still before, so that it must not judge other workers now
   * @param failed takes the error of a run; the next beat tries again
   */
  constructor(
    private readonly lease: number,
    private readonly work: (isLate: boolean) => Promise<void>,
    private readonly failed: (error: unknown) => void,
    private readonly runtime: Runtime,
  ) {
    this.#period = lease / BEATS;
  }

  /** Milliseconds between two beats. */
  get period(): number {
    return this.#period;
  }

  /** Runs now, or again right after the present run. */
  now(): void {
    if (this.#isStopped) return;
    this.#isDue = true;
    this.#present ??= this.#run(false);
  }

  /** Starts no more runs; resolves when the present one is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#present;
  }

  async #run(isLate: boolean): Promise<void> {
    this.#timer?.cancel();
    do {
      this.#isDue = false;
      await this.work(isLate).catch(this.failed);
    } while (this.#runsAgain);
    this.#present = null;
    if (!this.#isStopped) this.#schedule();
  }

  get #runsAgain(): boolean {
    return this.#isDue && !this.#isStopped;
  }

  #schedule(): void {
    const beat = (wasStalled: boolean): void => {
      this.#present = this.#run(wasStalled);
    };
    this.#timer = this.runtime.fairTimeout(this.#period, beat, this.lease * STALL);
  }
}
