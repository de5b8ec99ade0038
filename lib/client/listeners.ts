import { badOption } from './websocket-client.error.js';

/** Stops what it was returned for. */
export type Unsubscribe = () => void;

/** Takes what somebody else's function threw, or its promise rejected with. */
export type OnFailed = (error: unknown) => void;

/**
 * Functions that are called with the same thing, by what they listen to. Each one that is added is called, also one that
 * is added twice, and one that throws stops no other.
 */
export class Listeners<Args extends unknown[]> {
  readonly #all = new Set<readonly [key: unknown, listener: (...args: Args) => unknown]>();
  readonly #failed: OnFailed;

  constructor(failed: OnFailed) {
    this.#failed = failed;
  }

  /** @throws WebSocketClientError BAD_OPTION for what is no function */
  add(key: unknown, listener: (...args: Args) => unknown): Unsubscribe {
    if (typeof listener !== 'function') throw badOption('The handler is no function.');
    const own = [key, listener] as const;
    this.#all.add(own);
    return () => {
      this.#all.delete(own);
    };
  }

  /** Those that there are now: who is called may add others, and take them away. */
  of(key: unknown): ((...args: Args) => unknown)[] {
    return [...this.#all].filter(([own]) => own === key).map(([, listener]) => listener);
  }

  call(key: unknown, ...args: Args): void {
    for (const listener of this.of(key)) void guard(() => listener(...args), this.#failed);
  }
}

/** Calls somebody else's function, whatever it does. */
export async function guard(call: () => unknown, failed: OnFailed): Promise<void> {
  try {
    await call();
  } catch (error) {
    failed(error);
  }
}
