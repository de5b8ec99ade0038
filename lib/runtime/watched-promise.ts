import { isThenable, type Awaitable } from './thenable.js';

/** Gets the reason of a rejection that has no handler. */
export type Untaken = (reason: unknown) => void;

type Executor<T> = ConstructorParameters<typeof Promise<T>>[0];
type Fulfilled<T, Result> = ((value: T) => Result | PromiseLike<Result>) | null | undefined;
type Rejected<Failure> = ((reason: unknown) => Failure | PromiseLike<Failure>) | null | undefined;

/**
 * A promise for a caller that may not wait for it. A caller that awaits it, returns it or attaches a handler sees its
 * rejection as that of any promise. Without a handler at the end of the turn the reason goes to `untaken`, instead of ending
 * the process. Promises derived from it (`then`, `catch`, `finally`) are watched too, unless both handlers were given.
 */
export class WatchedPromise<T> extends Promise<T> {
  readonly #untaken: Untaken;
  #isTaken = false;

  /** What `then` makes is a plain promise, which a watched one follows only where that is of use. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** Runs the work and returns a watched promise of its result. It never throws. */
  static watch<T>(work: () => Awaitable<T>, untaken: Untaken): Promise<T> {
    const outcome = begin(work);
    return isThenable(outcome) ? WatchedPromise.of(outcome, untaken) : FulfilledPromise.with(outcome, untaken);
  }

  /** Returns a watched promise that follows another. */
  static of<T>(outcome: PromiseLike<T>, untaken: Untaken): WatchedPromise<T> {
    // Every send passes here, so nothing is attached before there is a rejection.
    const watched = new WatchedPromise<T>(untaken, (resolve, reject) => {
      outcome.then(resolve, (reason: unknown) => {
        watched.#rejected(reason);
        reject(reason);
      });
    });
    return watched;
  }

  protected constructor(untaken: Untaken, executor: Executor<T>) {
    super(executor);
    this.#untaken = untaken;
  }

  /** Every use of the promise passes here: `await` too, since this is a subclass. */
  override then<Result = T, Failure = never>(
    onFulfilled?: Fulfilled<T, Result>,
    onRejected?: Rejected<Failure>,
  ): Promise<Result | Failure> {
    this.#isTaken = true;
    return follow(super.then(onFulfilled, onRejected), onFulfilled, onRejected, this.#untaken);
  }

  /** It gives both handlers to `then`, though the caller has given none. */
  override finally(onFinally?: (() => void) | null): Promise<T> {
    return WatchedPromise.of(super.finally(onFinally), this.#untaken);
  }

  /** Called before this promise is rejected. */
  #rejected(reason: unknown): void {
    // This handler keeps Node from reporting the rejection as unhandled. Not by `super`: TypeScript compiles that wrongly in a
    // private method for applications whose target is below ES2022.
    void Promise.prototype.then.call(this, undefined, () => undefined);
    if (!this.#isTaken) setImmediate(() => this.#judge(reason));
  }

  #judge(reason: unknown): void {
    if (!this.#isTaken) this.#untaken(reason);
  }
}

/** A watched promise whose value is there at once: nothing but what is derived from it can be rejected. */
class FulfilledPromise<T> extends WatchedPromise<T> {
  static {
    // `await` takes such a promise as it is; of another subclass it would make two more, and call `then`.
    void Object.defineProperty(this.prototype, 'constructor', { value: Promise });
  }

  /** Returns such a promise of a value. */
  static with<T>(value: T, untaken: Untaken): FulfilledPromise<T> {
    return new FulfilledPromise<T>(untaken, (resolve) => resolve(value));
  }
}

/**
 * What `then` returns. Whoever gives both handlers has taken the rejection, and what the handlers throw is its own. So do
 * `await` and `Promise.all`: a promise that nobody gets would be made for each.
 */
function follow<T>(derived: Promise<T>, onFulfilled: unknown, onRejected: unknown, untaken: Untaken): Promise<T> {
  if (typeof onFulfilled === 'function' && typeof onRejected === 'function') return derived;
  return WatchedPromise.of(derived, untaken);
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
