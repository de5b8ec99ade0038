import type { ClientRuntime } from '../options/client-runtime.js';
import type { ResolvedReconnect } from '../options/client-options.js';
import type { Ending } from './ending.js';

/** How long a connection has to last until the earlier attempts are forgotten, in ms. */
const STABLE = 10_000;
/** How often in succession a client tries again after the server refused it for its identity or its origin. */
const FEW_TIMES = 3;

/** The time of the next attempt. */
export interface NextAttempt {
  /** The wait in whole ms; Infinity: until the page is shown again. */
  readonly delay: number;
  /** Whether the server asked for the wait, which only the application may shorten then. */
  readonly isAsked: boolean;
}

/**
 * Decides whether and when a client reconnects. The time after a loss is divided into windows, each twice as long as the one
 * before, up to the longest wait. One attempt falls into each window, at a random position that is drawn once for each loss.
 * So all clients of a server that was away return evenly distributed, over about as long as it was away.
 */
export class ReconnectPolicy {
  readonly #options: ResolvedReconnect;
  readonly #runtime: ClientRuntime;
  /** Whether the client reconnects at all. */
  isEnabled: boolean;
  /** The number of attempts since the last stable connection. */
  attempts = 0;
  #refusals = 0;
  /** The position of the attempts in their windows, from 0 to 1. */
  #place = 0;
  /** When the present connection will count as stable. */
  #stableAt = Infinity;

  constructor(options: ResolvedReconnect, runtime: ClientRuntime) {
    this.#options = options;
    this.#runtime = runtime;
    this.isEnabled = options.isEnabled;
  }

  /** Called when a connection is established. */
  connected(): void {
    this.#stableAt = this.#runtime.now() + STABLE;
  }

  /** Forgets earlier attempts. */
  reset(): void {
    this.attempts = 0;
    this.#refusals = 0;
  }

  /** The next attempt after an ending; null when the client stops. */
  next({ reaction, after }: Ending, hasTokens: boolean): NextAttempt | null {
    if (this.#runtime.now() >= this.#stableAt) this.reset();
    this.#stableAt = Infinity;
    // The page was left, which is no loss: it does not count as an attempt, and the client reconnects even without `reconnect`.
    if (after === Infinity) return { delay: after, isAsked: false };
    const isReplaced = reaction === 'replaceToken';
    this.#refusals = isReplaced || reaction === 'retryFewTimes' ? this.#refusals + 1 : 0;
    const isLast = reaction === 'stop' || (isReplaced && !hasTokens) || this.#refusals > FEW_TIMES;
    if (isLast || !this.isEnabled || this.attempts >= this.#options.attempts) return null;
    if (!this.attempts) this.#place = this.#runtime.random();
    const { minDelay, maxDelay } = this.#options;
    const window = minDelay * 2 ** this.attempts;
    // The rest of the last attempt's window passes first.
    const rest = this.attempts++ && (1 - this.#place) * Math.min(maxDelay, window / 2);
    const drawn = rest + this.#place * Math.min(maxDelay, window);
    const least = after ?? (reaction === 'retryLater' ? (maxDelay - drawn) / 2 : undefined);
    return { delay: Math.round(drawn + (least ?? 0)), isAsked: least !== undefined };
  }
}
