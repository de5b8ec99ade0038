import type { ClientRuntime, ClientTimer } from '../options/client-runtime.js';

/** How much later than planned a verdict may come before it is this side that was stalled, not the server. */
const STALL = 1_000;

/**
 * Notices a server that has fallen silent, which closes nothing: pages see no ping frames, and a network that is gone tells
 * nobody. After an interval without a frame it asks; nothing within the timeout, and the server is given up.
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
   * Begins at once.
   *
   * @param interval milliseconds of silence until the server is asked for a sign of life
   * @param timeout milliseconds until one must have come
   * @param giveUp the server has given none in time
   * @param ask asks for one; undefined where the server is not watched
   * @param beat shows the server a sign of life, each interval; undefined where it needs none
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

  /** A frame has come. */
  heard(): void {
    this.#heardAt = this.#runtime.now();
  }

  /** Asks now: there is reason to doubt the connection. */
  ask(): void {
    if (!this.#ask) return;
    this.#watch?.cancel();
    const askedAt = this.#runtime.now();
    this.#ask();
    this.#watch = this.#runtime.timeout(this.#timeout, () => {
      if (this.#heardAt >= askedAt) this.#wait();
      // A machine that slept, or a page in the background: what has come meanwhile may not have been read yet.
      else if (this.#runtime.now() > askedAt + this.#timeout + STALL) this.ask();
      else this.#giveUp();
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
