import { AsyncLocalStorage } from 'node:async_hooks';

/** How a call of the application ended. */
export interface WatchedCall {
  readonly outcome: PromiseSettledResult<unknown>;
  /** Whether it has sent its client anything. */
  readonly hasSent: boolean;
}

interface Watch {
  readonly client: object;
  hasSent: boolean;
}

/**
 * Finds out whether a call of the application has sent something to a client by itself. The call is known by its async
 * scope: code that runs beside it and sends to the same client does not count.
 */
class OwnSends {
  readonly #scope = new AsyncLocalStorage<Watch>();
  #watched = 0;

  /** Calls an async function, and resolves once it has finished. Never rejects. */
  async watch(client: object, call: () => Promise<unknown>): Promise<WatchedCall> {
    const watch: Watch = { client, hasSent: false };
    this.#watched++;
    const [outcome] = await Promise.allSettled([this.#scope.run(watch, call)]);
    // Left enabled, it would make every promise of the process twice as expensive for good, on Node before 24.
    if (--this.#watched === 0) this.#scope.disable();
    return { outcome, hasSent: watch.hasSent };
  }

  /** Something is sent to the client of a session, by the client's own methods or by its id. */
  note(session: { readonly client: object }): void {
    const watch = this.#scope.getStore();
    if (!watch) return; // before `client` is looked at, which would make it
    if (watch.client === session.client) watch.hasSent = true;
  }
}

/** One for the process, as async scopes are. */
export const OWN_SENDS = new OwnSends();
