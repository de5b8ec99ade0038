import type { ResolvedClientOptions } from '../options/client-options.js';
import type { ClientRuntime } from '../options/client-runtime.js';
import type { Ending } from './ending.js';
import type { OnFailed } from '../listeners.js';
import { WebSocketClientError } from '../websocket-client.error.js';

/**
 * The token of a session, which lasts until `disconnect()`: the next session may belong to another user. Within a session a
 * token is kept while it is known to be good, so a loss of the network does not ask for another one.
 */
export class TokenSource {
  readonly #options: ResolvedClientOptions;
  readonly #runtime: ClientRuntime;
  readonly #failed: OnFailed;
  /** With which the next connection of the session is the same member of its rooms; undefined: with nothing. */
  resume: string | undefined;
  #token: string | null = null;
  #isGood = false;
  /** The tokens that the server has refused in this session. A different token has to follow, and not null. */
  readonly #old = new Set<string | null>();
  /** The token that the server says is about to expire, during the present connection. */
  #expiring: string | null = null;
  /** The close code of the latest refusal. */
  #closeCode: number | undefined;
  #session = new AbortController();

  /** @param failed called with what `getToken` throws when no caller gets it */
  constructor(options: ResolvedClientOptions, runtime: ClientRuntime, failed: OnFailed) {
    this.#options = options;
    this.#runtime = runtime;
    this.#failed = failed;
  }

  /** Whether another token can be obtained. */
  get areRenewable(): boolean {
    return !!this.#options.getToken;
  }

  /** The additional time that the token for the next connection may take, in ms. */
  get patience(): number {
    return this.#old.size && this.#options.tokenPatience;
  }

  /**
   * The token for the next connection; null for none.
   *
   * @throws as {@link renew}
   */
  async current(): Promise<string | null> {
    this.#expiring = null;
    // Without `getToken` the token that was put is the only one; a failed attempt does not make it bad.
    if (this.#isGood || !this.areRenewable) return this.#token;
    const { signal } = this.#session;
    return this.renew().catch((error: unknown) => {
      if (!signal.aborted) this.#failed(error);
      throw error;
    });
  }

  /**
   * Obtains another token. It may not exist yet, so `getToken` is asked with growing waits during `tokenPatience`.
   *
   * @throws what `getToken` throws; WebSocketClientError UNAUTHENTICATED when it returns no other token; the error that ended
   * the session
   */
  async renew(): Promise<string | null> {
    const { signal } = this.#session;
    let left = this.#options.tokenPatience;
    // The first wait in ms; each further one is twice as long.
    for (let wait = 500; ; wait *= 2) {
      const token = (await this.#options.getToken?.()) ?? null;
      // The token may belong to a user who has left; it must not be used for the next session.
      signal.throwIfAborted();
      // No token in place of a refused one does not count as new either: a user must not become anonymous silently.
      if (token === null ? !this.#old.size && !this.#expiring : token !== this.#expiring && !this.#old.has(token))
        return token;
      if (left <= 0)
        throw new WebSocketClientError('UNAUTHENTICATED', 'There is no new token.', { closeCode: this.#closeCode });
      await new Promise<void>((resolve) => {
        const timer = this.#runtime.timeout(Math.min(wait, left), resolve);
        signal.addEventListener('abort', () => {
          timer.cancel();
          resolve();
        });
      });
      left -= wait;
    }
  }

  /** Called when the server has accepted a token, which is kept unless another one was put meanwhile. */
  accept(token: string | null): void {
    if (!this.#isGood) this.#token = token;
    this.#isGood = true;
    this.#expiring = null;
    this.#old.clear();
  }

  /** Marks a token as not known to be good. */
  forget(token = this.#token): void {
    this.#isGood &&= token !== this.#token;
  }

  /** Called when the server has refused a token. */
  refuse(token: string | null, closeCode?: number): void {
    this.forget(token);
    this.#old.add(token);
    this.#closeCode = closeCode;
  }

  /** Called when the connection's token is about to expire. */
  expire(): void {
    this.#expiring = this.#token;
  }

  /** Sets the token for the next connection. */
  put(token: string): void {
    this.#isGood = false;
    this.accept(token);
  }

  /**
   * Ends the session: `getToken` decides who the next session belongs to. A token that was put is dropped when the application
   * ended the session; a client that gave up by itself keeps it.
   */
  end({ error, isOwn }: Ending): void {
    this.#session.abort(error);
    this.#session = new AbortController();
    this.#isGood = false;
    this.resume = undefined;
    if (isOwn) this.#token = null;
    this.#old.clear();
  }
}
