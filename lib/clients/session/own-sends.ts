import { AsyncLocalStorage } from 'node:async_hooks';

/** What became of a call of the application. */
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
 * Tells whether a call of the application has sent something to a client by itself. The call is known by its async scope:
 * what runs beside it and sends to the same client is no part of it.
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

  /** Something is sent to a client, by its own methods or by its id. */
  note(client: object): void {
    const watch = this.#scope.getStore();
    if (watch?.client === client) watch.hasSent = true;
  }
}

/** One for the process, as async scopes are. */
export const OWN_SENDS = new OwnSends();
