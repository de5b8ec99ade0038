import type { Runtime } from '../../runtime/runtime.js';

/** So long without a beat, as a part of a lease, and others may have been kept from theirs too. */
const GAP = 1 / 4;

/**
 * Whether this worker may judge others by their leases: only when its own was renewed, without a gap, for as long as a
 * lease lasts. Whatever keeps all workers from Redis for a while, they all come back before anybody is found dead.
 */
export class LeaseWatch {
  #since = Infinity;
  #beatenAt = -Infinity;

  /** @param lease ms */
  constructor(
    private readonly lease: number,
    private readonly runtime: Runtime,
  ) {}

  /**
   * Our lease was renewed just now.
   *
   * @param wasHeld whether it was there until then
   */
  beat(wasHeld: boolean): void {
    if (!wasHeld || !this.isFresh) this.#since = this.runtime.monotonic();
    this.#beatenAt = this.runtime.monotonic();
  }

  /** Whether we have heard of the leases of late. */
  get isFresh(): boolean {
    return this.runtime.monotonic() - this.#beatenAt <= this.lease * GAP;
  }

  get isSteady(): boolean {
    return this.runtime.monotonic() - this.#since >= this.lease;
  }
}
