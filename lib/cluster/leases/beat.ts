import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** A beat that comes so much later than planned, as a part of a lease, tells that this process stood still. */
const STALL = 1 / 10;
/** Beats in the time of a lease. */
const BEATS = 20;

/** Calls back again and again, never twice at a time. */
export class Beat {
  readonly #period: number;
  #timer: RuntimeTimer | null = null;
  #present: Promise<void> | null = null;
  #isDue = false;
  #isStopped = false;

  /**
   * @param lease ms
   * @param work gets whether this process has stood still, so that it must not judge others
   * @param failed takes what it fails with; the next beat does it again
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

  /** Beats now, or once more when the present beat is over. */
  now(): void {
    if (this.#isStopped) return;
    this.#isDue = true;
    this.#present ??= this.#run(false);
  }

  /** Waits for the present beat; there is no other. */
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
    } while (this.#mustGoOn);
    this.#present = null;
    if (!this.#isStopped) this.#schedule();
  }

  get #mustGoOn(): boolean {
    return this.#isDue && !this.#isStopped;
  }

  #schedule(): void {
    const dueAt = this.runtime.monotonic() + this.#period;
    this.#timer = this.runtime.timeout(this.#period, () => {
      this.#present = this.#run(this.runtime.monotonic() - dueAt > this.lease * STALL);
    });
  }
}
