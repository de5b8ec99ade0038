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

  /** A watched promise of what the work returns or throws: it never throws at the call. */
  static watch<T>(work: () => Promise<T>, untaken: Untaken): WatchedPromise<T> {
    const promise = begin(work);
    // Every send comes by here: nothing is attached for a rejection before there is one.
    const watched = new WatchedPromise<T>((resolve, reject) => {
      promise.then(resolve, (reason: unknown) => {
        watched.#rejected(reason);
        reject(reason);
      });
    });
    watched.#untaken = untaken;
    return watched;
  }

  /** Everybody who takes a promise comes by here: `await` too, since this is a subclass. */
  override then<Result = T, Failure = never>(
    onFulfilled?: ((value: T) => Result | PromiseLike<Result>) | null,
    onRejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    this.#isTaken = true;
    const derived = super.then(onFulfilled, onRejected);
    if (this.#untaken && derived instanceof WatchedPromise) derived.#follow(this.#untaken);
    return derived;
  }

  #follow(untaken: Untaken): void {
    this.#untaken = untaken;
    void super.then(undefined, (reason: unknown) => this.#judgeLater(reason));
  }

  /** Called before this promise is rejected. */
  #rejected(reason: unknown): void {
    // A handler of our own keeps Node from calling it unhandled.
    void super.then(undefined, () => undefined);
    this.#judgeLater(reason);
  }

  #judgeLater(reason: unknown): void {
    if (!this.#isTaken) setImmediate(() => this.#judge(reason));
  }

  #judge(reason: unknown): void {
    if (!this.#isTaken) this.#untaken?.(reason);
  }
}

function begin<T>(work: () => Promise<T>): Promise<T> {
  try {
    // A bus of somebody's own may return nothing.
    return Promise.resolve(work());
  } catch (error) {
    return Promise.resolve().then(() => {
      throw error;
    });
  }
}
