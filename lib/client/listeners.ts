import { badOption } from './websocket-client.error.js';

/** Removes the listener or handler that was added. */
export type Unsubscribe = () => void;

/** Called with what a function of the application threw, or its promise rejected with. */
export type OnFailed = (error: unknown) => void;

/**
 * Listeners by the key that they listen to. A function that is added twice is called twice, and one that throws does not stop
 * the others.
 */
export class Listeners<Args extends unknown[]> {
  readonly #all = new Set<readonly [key: unknown, listener: (...args: Args) => unknown, given: unknown]>();
  readonly #failed: OnFailed;

  constructor(failed: OnFailed) {
    this.#failed = failed;
  }

  /**
   * @param given what {@link remove} knows the listener by
   * @throws WebSocketClientError BAD_OPTION when that is not a function
   */
  add(key: unknown, given: (...args: Args) => unknown, listener = given): Unsubscribe {
    if (typeof given !== 'function') throw badOption('The handler is no function.');
    const own = [key, listener, given] as const;
    this.#all.add(own);
    return () => {
      this.#all.delete(own);
    };
  }

  /** Removes a listener of a key, however often it was added; without one all of the key, without a key all. */
  remove(key?: unknown, listener?: unknown): void {
    for (const own of this.#all) {
      const [itsKey, , given] = own;
      if ((key ?? itsKey) === itsKey && (listener ?? given) === given) this.#all.delete(own);
    }
  }

  /** A copy of the present listeners, since a listener may add and remove others. */
  of(key: unknown): ((...args: Args) => unknown)[] {
    return [...this.#all].filter(([own]) => own === key).map(([, listener]) => listener);
  }

  /** @returns promises that resolve when the listeners have finished */
  call(key: unknown, ...args: Args): Promise<void>[] {
    return this.of(key).map((listener) => guard(() => listener(...args), this.#failed));
  }
}

/** Calls a function of the application, and passes its failure to `failed`. */
export async function guard(call: () => unknown, failed: OnFailed): Promise<void> {
  try {
    await call();
  } catch (error) {
    failed(error);
  }
}
