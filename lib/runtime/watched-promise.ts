/** Takes what a promise was rejected with that nobody has asked about. */
export type Untaken = (reason: unknown) => void;

/**
 * A promise for a caller who may not wait for it. Whoever awaits it, returns it, or attaches a handler sees its rejection
 * as that of any promise; where nobody has done so by the end of the turn it goes to `untaken`, instead of ending the
 * process. What is derived from it (`then`, `finally`) is such a promise too.
 */
export class WatchedPromise<T> extends Promise<T> {
  #untaken: Untaken | null = null;
  #isTaken = false;

  /** A watched promise of what `promise` settles with. */
  static watch<T>(promise: Promise<T>, untaken: Untaken): WatchedPromise<T> {
    const watched = new WatchedPromise<T>((resolve, reject) => {
      promise.then(resolve, reject);
    });
    watched.#watch(untaken);
    return watched;
  }

  /** Everybody who takes a promise comes by here: `await` too, since this is a subclass. */
  override then<Result = T, Failure = never>(
    onFulfilled?: ((value: T) => Result | PromiseLike<Result>) | null,
    onRejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    this.#isTaken = true;
    const derived = super.then(onFulfilled, onRejected);
    if (this.#untaken && derived instanceof WatchedPromise) derived.#watch(this.#untaken);
    return derived;
  }

  #watch(untaken: Untaken): void {
    this.#untaken = untaken;
    // A handler of our own keeps Node from calling it unhandled.
    void super.then(undefined, (reason: unknown) => {
      if (!this.#isTaken) setImmediate(() => this.#judge(untaken, reason));
    });
  }

  #judge(untaken: Untaken, reason: unknown): void {
    if (!this.#isTaken) untaken(reason);
  }
}
