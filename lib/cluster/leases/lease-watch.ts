import type { Runtime } from '../../runtime/runtime.js';

/** After a gap of this part of a lease, whatever caused it may have kept the other workers from renewing theirs, too. */
const GAP = 1 / 4;

/**
 * Tells whether this worker may declare others dead: only after it has renewed its own lease without a gap for the length
 * of a lease. After an outage of Redis all workers have that time to come back.
 */
export class LeaseWatch {
  #since = Infinity;
  #renewedAt = -Infinity;

  /** @param lease ms */
  constructor(
    private readonly lease: number,
    private readonly runtime: Runtime,
  ) {}

  /**
   * The lease was renewed now.
   *
   * @param wasHeld whether Redis still had it before
   */
  renewed(wasHeld: boolean): void {
    if (!wasHeld || !this.isFresh) this.#since = this.runtime.monotonic();
    this.#renewedAt = this.runtime.monotonic();
  }

  /** Whether the last renewal is recent, and with it what is known of the other leases. */
  get isFresh(): boolean {
    return this.runtime.monotonic() - this.#renewedAt <= this.lease * GAP;
  }

  /** Whether the lease was renewed without a gap for the length of a lease. */
  get isSteady(): boolean {
    return this.runtime.monotonic() - this.#since >= this.lease;
  }
}
