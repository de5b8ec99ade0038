import type { ClusterClock } from '../../runtime/cluster-clock.js';
import type { LastSeen } from './last-seen.interface.js';

/** How many users are remembered: those of the latest ends. */
const MOST = 100_000;

/** {@link LastSeen} of one worker, for as long as it runs. */
export class MemoryLastSeen implements LastSeen {
  /** By user, the earliest first. */
  readonly #ends = new Map<string, number>();

  /** @param lifetime ms */
  constructor(
    private readonly lifetime: number,
    private readonly clock: ClusterClock,
  ) {}

  ended(userId: string): void {
    const now = this.clock.now();
    this.#ends.delete(userId);
    this.#ends.set(userId, now);
    for (const [earliest, at] of this.#ends) {
      if (this.#ends.size <= MOST && at + this.lifetime > now) break;
      this.#ends.delete(earliest);
    }
  }

  of(userId: string): Promise<number | null> {
    const at = this.#ends.get(userId) ?? -Infinity;
    return Promise.resolve(at + this.lifetime > this.clock.now() ? at : null);
  }
}
