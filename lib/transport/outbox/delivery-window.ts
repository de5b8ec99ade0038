import type { FrameTerms } from '../../clients/session/frame-terms.js';
import type { Runtime } from '../../runtime/runtime.js';

/** An outbox whose frames may wait for each other for longer than a turn. */
export interface WindowedOutbox {
  /** A window is over that was opened for this outbox; true when it goes on in it. */
  windowEnded(window: DeliveryWindow): boolean;
}

/** How long a window is, in ms, and how long it may grow to be. */
export type WindowTerms = Pick<FrameTerms, 'window' | 'maxWindow'>;

/** The time after a write in which what comes for the same sockets waits. All sockets that were written to in one turn share it. */
export class DeliveryWindow implements WindowTerms {
  #outboxes: WindowedOutbox[] = [];
  #beganAt = 0;
  /** What it takes, in ms. */
  #duration = 0;

  /**
   * @param window milliseconds, as the application has chosen
   * @param maxWindow milliseconds that it may grow to
   * @param ended told how many ms late it has ended
   */
  constructor(
    readonly window: number,
    readonly maxWindow: number,
    private readonly runtime: Runtime,
    private readonly ended: (late: number) => void,
  ) {}

  add(outbox: WindowedOutbox): void {
    this.#outboxes.push(outbox);
  }

  /** @param growth how many times its length it takes, within its bound */
  begin(growth: number): void {
    this.#duration = Math.max(this.window, Math.min(this.window * growth, this.maxWindow));
    this.#beganAt = this.runtime.monotonic();
    this.runtime.timeout(this.#duration, this.#end);
  }

  readonly #end = (): void => {
    this.ended(this.runtime.monotonic() - this.#beganAt - this.#duration);
    const outboxes = this.#outboxes;
    this.#outboxes = outboxes.filter((outbox) => outbox.windowEnded(this));
    if (this.#outboxes.length > 0) this.begin(1);
  };
}
