import type { ClientRuntime, ClientTimer } from '../options/client-runtime.js';

/** How late the timeout may fire, in ms. If it fires later, this side was stalled, and the server is asked again. */
const STALL = 1_000;

/**
 * Detects a connection that is dead without a close: pages see no ping frames, and a network that is gone emits no event.
 * After an interval without a frame it asks the server for one; without an answer within the timeout it gives up.
 */
export class Heartbeat {
  readonly #runtime: ClientRuntime;
  readonly #interval: number;
  readonly #timeout: number;
  readonly #giveUp: () => void;
  readonly #ask: (() => void) | undefined;
  #heardAt: number;
  #watch: ClientTimer | undefined;
  #beating: ClientTimer | undefined;

  /**
   * Starts at once.
   *
   * @param interval how long a silence lasts until the server is asked for a sign of life, in ms
   * @param timeout how long the answer may take, in ms
   * @param giveUp called when no answer came in time
   * @param ask asks the server for a sign of life; undefined when the server is not watched
   * @param beat sends a sign of life to the server, each interval; undefined when it needs none
   */
  constructor(
    runtime: ClientRuntime,
    interval: number,
    timeout: number,
    giveUp: () => void,
    ask: (() => void) | undefined,
    beat: (() => void) | undefined,
  ) {
    this.#runtime = runtime;
    this.#interval = interval;
    this.#timeout = timeout;
    this.#giveUp = giveUp;
    this.#ask = ask;
    this.#heardAt = runtime.now();
    if (ask) this.#wait();
    if (beat) this.#beatLater(beat);
  }

  stop(): void {
    this.#watch?.cancel();
    this.#beating?.cancel();
  }

  /** Called for each frame that arrives. */
  heard(): void {
    this.#heardAt = this.#runtime.now();
  }

  /** Asks the server now, since the connection may be dead. */
  ask(): void {
    if (!this.#ask) return;
    this.#watch?.cancel();
    const askedAt = this.#runtime.now();
    this.#ask();
    // What has arrived while this side was busy is read first; where the machine slept, or the page was in the background, frames may
    // be on their way.
    this.#watch = this.#runtime.timeout(this.#timeout, () => {
      this.#watch = this.#runtime.timeout(0, () => {
        if (this.#heardAt >= askedAt || this.#runtime.now() > askedAt + this.#timeout + STALL) this.#wait();
        else this.#giveUp();
      });
    });
  }

  #wait(): void {
    const left = this.#heardAt + this.#interval - this.#runtime.now();
    if (left > 0) this.#watch = this.#runtime.timeout(left, () => this.#wait());
    else this.ask();
  }

  #beatLater(beat: () => void): void {
    this.#beating = this.#runtime.timeout(this.#interval, () => {
      beat();
      this.#beatLater(beat);
    });
  }
}
