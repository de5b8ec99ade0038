import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { RefusalCounters } from './refusal-counters.js';
import { TokenBucket } from './token-bucket.js';

/** The longest wait that a client is asked for, in ms. */
const LONGEST = 60_000;

/**
 * How many upgrades this process takes up per second: `limits.acceptsPerSecond`. After a silence one second's worth is taken
 * at once, since Retry-After counts in seconds: those who read the same one come back together.
 */
@Injectable()
export class AcceptRate {
  readonly #bucket: TokenBucket | null;
  /** Between two accepts, in ms. */
  readonly #pace: number;
  /** When the last of those that were sent away has its turn. */
  #lastTurn = 0;

  constructor(
    private readonly counters: RefusalCounters,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) { limits }: ResolvedOptions,
  ) {
    const rate = limits.acceptsPerSecond;
    this.#bucket = rate === false ? null : new TokenBucket(rate, rate, runtime.monotonic());
    this.#pace = rate === false ? 0 : 1_000 / rate;
  }

  /**
   * Takes up one upgrade and returns 0. Beyond the limit it counts a refusal and returns the ms until the client's turn: each
   * has one of its own behind those before it, so that a crowd comes back at the pace at which it can be let in.
   */
  take(): number {
    if (!this.#bucket) return 0;
    const now = this.runtime.monotonic();
    const wait = this.#bucket.take(now);
    if (wait === 0) return 0;
    this.counters.count('acceptsPerSecond');
    this.#lastTurn = Math.max(now + wait, this.#lastTurn + this.#pace);
    if (this.#lastTurn <= now + LONGEST) return Math.ceil(this.#lastTurn - now);
    this.#lastTurn = now + LONGEST;
    // The line is longer than that: where in it somebody comes back is left to chance.
    return Math.ceil((LONGEST * (1 + this.runtime.random())) / 2);
  }
}
