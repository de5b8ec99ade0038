/** Stops what it was returned for. */
export type Unsubscribe = () => void;

/** Takes what somebody else's function threw, or its promise rejected with. */
export type OnFailed = (error: unknown) => void;

/** Functions that are called with the same thing. Each one that is added is called, and one that throws stops no other. */
export class Listeners<Args extends unknown[]> {
  /** Replaced, never changed: one that is being called is not disturbed. */
  #all: readonly ((...args: Args) => unknown)[] = [];
  readonly #failed: OnFailed;

  constructor(failed: OnFailed) {
    this.#failed = failed;
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  add(listener: (...args: Args) => unknown): Unsubscribe {
    // One registration is one entry, also of a function that is registered twice.
    const own = (...args: Args): unknown => listener(...args);
    this.#all = [...this.#all, own];
    return () => {
      this.#all = this.#all.filter((other) => other !== own);
    };
  }

  call(...args: Args): void {
    for (const listener of this.#all) void guard(() => listener(...args), this.#failed);
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
