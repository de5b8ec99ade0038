import type { Runtime } from '../../runtime/runtime.js';

/** Milliseconds between two moments at which work is done. */
const STEP = 20;

/**
 * Work in the background that costs less when it is done together: the first after a silence is done at the end of its turn of the
 * event loop, what comes within 20 ms behind it together at their end.
 */
export class Pace {
  #waiting: (() => void)[] = [];
  #lastAt = -Infinity;

  constructor(private readonly runtime: Runtime) {}

  /** Does the work at the next moment, in the order in which it was asked for. It must not throw. */
  soon(work: () => void): void {
    if (this.#waiting.push(work) > 1) return;
    const wait = this.#lastAt + STEP - this.runtime.monotonic();
    if (wait > 0) this.runtime.timeout(wait, this.#doAll);
    else this.runtime.afterIo(this.#doAll);
  }

  readonly #doAll = (): void => {
    this.#lastAt = this.runtime.monotonic();
    for (const work of this.#waiting.splice(0)) work();
  };
}
