import type { ResolvedClientOptions } from '../options/client-options.js';
import type { ClientRuntime } from '../options/client-runtime.js';
import type { Ending } from './ending.js';
import type { OnFailed } from '../listeners.js';
import { WebSocketClientError } from '../websocket-client.error.js';

/**
 * The token of one session of the application, which `disconnect()` ends: the next one may be another user's. Within it the
 * token is kept for as long as it is known to be good: after a loss of the network nobody is asked for another.
 */
export class TokenSource {
  readonly #options: ResolvedClientOptions;
  readonly #runtime: ClientRuntime;
  readonly #failed: OnFailed;
  #token: string | null = null;
  #isGood = false;
  /** What the server has refused: another one, and not none, is to follow. */
  readonly #old = new Set<string | null>();
  /** What it has said to end soon, while that connection lasts. */
  #expiring: string | null = null;
  /** The close code of the last refusal. */
  #closeCode: number | undefined;
  #session = new AbortController();

  /** @param failed told of what `getToken` throws where no caller hears it */
  constructor(options: ResolvedClientOptions, runtime: ClientRuntime, failed: OnFailed) {
    this.#options = options;
    this.#runtime = runtime;
    this.#failed = failed;
  }

  /** Whether another token can be had. */
  get areRenewable(): boolean {
    return !!this.#options.getToken;
  }

  /** How many ms longer than usual the token for the next connection may take. */
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
    // Where nobody gives another, the one that was put is all there is: that an attempt failed says nothing against it.
    if (this.#isGood || !this.areRenewable) return this.#token;
    const { signal } = this.#session;
    return this.renew().catch((error: unknown) => {
      if (!signal.aborted) this.#failed(error);
      throw error;
    });
  }

  /**
   * Another token. Who keeps tokens may not have it yet: asks with growing waits while there is patience.
   *
   * @throws what `getToken` throws; WebSocketClientError UNAUTHENTICATED when it gives no other; the end of the session
   */
  async renew(): Promise<string | null> {
    const { signal } = this.#session;
    let left = this.#options.tokenPatience;
    // In ms, before it asks for the second time; each further wait is twice as long.
    for (let wait = 500; ; wait *= 2) {
      const token = (await this.#options.getToken?.()) ?? null;
      // Of a user who has left: it is not for the next one's connection.
      signal.throwIfAborted();
      // None in the place of an old one is old, too: who was somebody is not nobody now.
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

  /** The server has taken a token; it is kept unless there is another one meanwhile. */
  accept(token: string | null): void {
    if (!this.#isGood) this.#token = token;
    this.#isGood = true;
    this.#expiring = null;
    this.#old.clear();
  }

  /** A token is not known to be good any more. */
  forget(token = this.#token): void {
    this.#isGood &&= token !== this.#token;
  }

  /** The server has refused a token. */
  refuse(token: string | null, closeCode?: number): void {
    this.forget(token);
    this.#old.add(token);
    this.#closeCode = closeCode;
  }

  /** The token of the connection is good, and ends soon. */
  expire(): void {
    this.#expiring = this.#token;
  }

  /** The next connection is to use this one. */
  put(token: string): void {
    this.#isGood = false;
    this.accept(token);
  }

  /**
   * The session is over: `getToken` says who the next one is. A token that was put is dropped where the application wanted
   * the end; a client that has given up by itself may go on with it.
   */
  end({ error, isOwn }: Ending): void {
    this.#session.abort(error);
    this.#session = new AbortController();
    this.#isGood = false;
    if (isOwn) this.#token = null;
    this.#old.clear();
  }
}
