import type { FrameTerms } from '../../clients/session/frame-terms.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { WindowGrowth } from './window-growth.js';

/** How long a window is, in ms, and how long it may grow to be. */
export type WindowTerms = Pick<FrameTerms, 'window' | 'maxWindow'>;

/** An outbox whose frames may wait for each other for longer than a turn. */
export interface WindowedOutbox {
  /** A window that was opened for this outbox is over: it writes what has waited. False: it needs no further one. */
  windowEnded(window: DeliveryWindow): boolean;
}

/**
 * The time after a write in which what comes for the same sockets waits. All sockets that were written to in one turn share it.
 * For those that had something to wait it begins anew at its end, until a silence.
 */
export class DeliveryWindow implements WindowTerms {
  #outboxes: WindowedOutbox[] = [];
  #beganAt = 0;
  /** What it takes, in ms. */
  #duration = 0;

  /**
   * @param window milliseconds, as the application has chosen
   * @param maxWindow milliseconds that it may grow to
   */
  constructor(
    readonly window: number,
    readonly maxWindow: number,
    private readonly growth: WindowGrowth,
    private readonly runtime: Runtime,
  ) {}

  add(outbox: WindowedOutbox): void {
    this.#outboxes.push(outbox);
  }

  begin(): void {
    this.#duration = this.growth.durationOf(this);
    this.#beganAt = this.runtime.monotonic();
    this.runtime.timeout(this.#duration, this.#end);
  }

  readonly #end = (): void => {
    this.#outboxes = this.#outboxes.filter((outbox) => outbox.windowEnded(this));
    if (this.#outboxes.length === 0) return;
    this.growth.adapt(this, this.runtime.monotonic() - this.#beganAt - this.#duration);
    this.begin();
  };
}
