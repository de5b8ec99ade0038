import type { ClientRuntime } from '../options/client-runtime.js';
import type { ResolvedReconnect } from '../options/client-options.js';
import type { Ending } from './ending.js';

/** How long a connection must have stood for the attempts before it to be forgotten, in ms. */
const STABLE = 10_000;
/** How often in a row a client comes back after it was refused for what it is. */
const FEW_TIMES = 3;

/** When the next attempt is made. */
export interface NextAttempt {
  /** In whole ms; Infinity: once the page is back. */
  readonly delay: number;
  /** The server has asked for the wait: nothing but the application cuts it short. */
  readonly isAsked: boolean;
}

/**
 * Whether and when a client comes back. Time after a loss is divided into windows, each twice as long as the one before, up
 * to the longest wait; one attempt falls into each window, at a random place that is drawn once for a loss. So however
 * long a server is away, the crowd that it lost comes back evenly, over about as long as it was away.
 */
export class ReconnectPolicy {
  readonly #options: ResolvedReconnect;
  readonly #runtime: ClientRuntime;
  /** Whether the client comes back at all. */
  isEnabled: boolean;
  /** Attempts since a connection was last stable. */
  attempts = 0;
  #refusals = 0;
  /** The place of the attempts in their windows. */
  #place = 0;
  /** When the connection that stands will have stood long enough. */
  #stableAt = Infinity;

  constructor(options: ResolvedReconnect, runtime: ClientRuntime) {
    this.#options = options;
    this.#runtime = runtime;
    this.isEnabled = options.isEnabled;
  }

  /** A connection stands. */
  connected(): void {
    this.#stableAt = this.#runtime.now() + STABLE;
  }

  /** Begins anew. */
  reset(): void {
    this.attempts = 0;
    this.#refusals = 0;
  }

  /** What follows an ending; null when the client stops. */
  next({ reaction, after }: Ending, hasTokens: boolean): NextAttempt | null {
    if (this.#runtime.now() >= this.#stableAt) this.reset();
    this.#stableAt = Infinity;
    // No loss: it costs no attempt, and the client comes back whatever it does after a loss.
    if (after === Infinity) return { delay: after, isAsked: false };
    const isReplaced = reaction === 'replaceToken';
    this.#refusals = isReplaced || reaction === 'retryFewTimes' ? this.#refusals + 1 : 0;
    const isLast = reaction === 'stop' || (isReplaced && !hasTokens) || this.#refusals > FEW_TIMES;
    if (isLast || !this.isEnabled || this.attempts >= this.#options.attempts) return null;
    if (!this.attempts) this.#place = this.#runtime.random();
    const { minDelay, maxDelay } = this.#options;
    const window = minDelay * 2 ** this.attempts;
    // What is left of the window of the last attempt comes first.
    const rest = this.attempts++ && (1 - this.#place) * Math.min(maxDelay, window / 2);
    const drawn = rest + this.#place * Math.min(maxDelay, window);
    const least = after ?? (reaction === 'retryLater' ? (maxDelay - drawn) / 2 : undefined);
    return { delay: Math.round(drawn + (least ?? 0)), isAsked: least !== undefined };
  }
}
