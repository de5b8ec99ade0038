import { isThenable, type Awaitable } from './thenable.js';

/** Gets the reason of a rejection that has no handler. */
export type Untaken = (reason: unknown) => void;

/**
 * A promise for a caller that may not wait for it. A caller that awaits it, returns it or attaches a handler sees its
 * rejection as that of any promise. Without a handler at the end of the turn the reason goes to `untaken`, instead of ending
 * the process. Promises derived from it (`then`, `finally`) are watched too.
 */
export class WatchedPromise<T> extends Promise<T> {
  #untaken: Untaken | null = null;
  #isTaken = false;

  /** Runs the work and returns a watched promise of its result. It never throws. */
  static watch<T>(work: () => Awaitable<T>, untaken: Untaken): Promise<T> {
    const outcome = begin(work);
    if (!isThenable(outcome)) return FulfilledPromise.of(outcome, untaken);
    // Every send passes here, so nothing is attached before there is a rejection.
    const watched = new WatchedPromise<T>((resolve, reject) => {
      outcome.then(resolve, (reason: unknown) => {
        watched.#rejected(reason);
        reject(reason);
      });
    });
    watched.#untaken = untaken;
    return watched;
  }

  /** Every use of the promise passes here: `await` too, since this is a subclass. */
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
    this.#watch((reason) => this.#judgeLater(reason));
  }

  /** Not by `super`: TypeScript compiles that wrongly in a private method for applications whose target is below ES2022. */
  #watch(onRejected: (reason: unknown) => void): void {
    void Promise.prototype.then.call(this, undefined, onRejected);
  }

  /** Called before this promise is rejected. */
  #rejected(reason: unknown): void {
    // This handler keeps Node from reporting the rejection as unhandled.
    this.#watch(() => undefined);
    this.#judgeLater(reason);
  }

  #judgeLater(reason: unknown): void {
    if (!this.#isTaken) setImmediate(() => this.#judge(reason));
  }

  #judge(reason: unknown): void {
    if (!this.#isTaken) this.#untaken?.(reason);
  }
}

/** A watched promise whose value is there at once: nothing but what is derived from it can be rejected. */
class FulfilledPromise<T> extends Promise<T> {
  static {
    // `await` takes such a promise as it is; of another subclass it would make two more, and call `then`.
    void Object.defineProperty(this.prototype, 'constructor', { value: Promise });
  }

  #untaken: Untaken = () => undefined;

  static of<T>(value: T, untaken: Untaken): FulfilledPromise<T> {
    const promise = new FulfilledPromise<T>((resolve) => resolve(value));
    promise.#untaken = untaken;
    return promise;
  }

  override then<Result = T, Failure = never>(
    onFulfilled?: ((value: T) => Result | PromiseLike<Result>) | null,
    onRejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    return WatchedPromise.watch(() => super.then(onFulfilled, onRejected), this.#untaken);
  }
}

function begin<T>(work: () => Awaitable<T>): Awaitable<T> {
  try {
    return work();
  } catch (error) {
    return Promise.resolve().then(() => {
      throw error;
    });
  }
}
