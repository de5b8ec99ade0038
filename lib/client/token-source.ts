import type { ResolvedClientOptions } from './client-options.js';
import type { ClientRuntime } from './client-runtime.js';
import type { Ending } from './ending.js';
import type { OnFailed } from './listeners.js';
import { WebSocketClientError } from './websocket-client.error.js';

/** How long a renewal waits before it asks for the second time, in ms; each further wait is twice as long. */
const FIRST_WAIT = 500;

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
  /** What the server has refused last; undefined when nothing. */
  #refused: string | null | undefined;
  #closeCode: number | undefined;
  /** Until when another one in its place is asked for. */
  #patientUntil = 0;
  /** What the server has said to end soon. */
  #expiring: string | null | undefined;
  #session = new AbortController();

  /** @param failed told of what `getToken` throws where no caller hears it */
  constructor(options: ResolvedClientOptions, runtime: ClientRuntime, failed: OnFailed) {
    this.#options = options;
    this.#runtime = runtime;
    this.#failed = failed;
  }

  /** Whether another token can be had. */
  get areRenewable(): boolean {
    return this.#options.getToken !== undefined;
  }

  /** How many ms another token in the place of a refused one is still asked for; Infinity when that is not, or no more. */
  get patience(): number {
    const left = this.#patientUntil - this.#runtime.now();
    return left > 0 ? left : Infinity;
  }

  /**
   * The token for the next connection; null for none.
   *
   * @throws what `getToken` throws; WebSocketClientError UNAUTHENTICATED when it gives what was refused, retryable for as
   * long as there is patience
   */
  async current(): Promise<string | null> {
    // Where nobody gives another, the one that was put is all there is: that an attempt failed says nothing against it.
    if (this.#isGood || !this.areRenewable) return this.#token;
    const { signal } = this.#session;
    const token = await this.#ask().catch((error: unknown) => {
      if (!signal.aborted) this.#failed(error);
      throw error;
    });
    if (isOld(token, this.#refused)) throw this.#noOther();
    return token;
  }

  /**
   * Another token. Who keeps tokens may not have it yet: asks with growing waits while there is patience.
   *
   * @throws what `getToken` throws; WebSocketClientError UNAUTHENTICATED when it gives no other; the end of the session
   */
  async renew(): Promise<string | null> {
    const { signal } = this.#session;
    const until = this.#runtime.now() + this.#options.tokenPatience;
    for (let wait = FIRST_WAIT; ; wait *= 2) {
      const token = await this.#ask();
      // Of a user who has left: it is not for the next one's connection.
      signal.throwIfAborted();
      if (!isOld(token, this.#refused) && !isOld(token, this.#expiring)) return token;
      const left = until - this.#runtime.now();
      if (left <= 0) throw this.#noOther();
      await new Promise<void>((resolve) => {
        const timer = this.#runtime.timeout(wait < left ? wait : left, resolve);
        signal.addEventListener('abort', () => {
          timer.cancel();
          resolve();
        });
      });
    }
  }

  /** The server has taken a token; it is kept unless there is another one meanwhile. */
  accept(token: string | null): void {
    if (!this.#isGood) this.#token = token;
    this.#isGood = true;
    this.#pardon();
  }

  /** A token is not known to be good any more. */
  forget(token = this.#token): void {
    this.#isGood &&= token !== this.#token;
  }

  /** The server has refused a token. */
  refuse(token: string | null, refusal: WebSocketClientError): void {
    this.forget(token);
    this.#patientUntil ||= this.#runtime.now() + this.#options.tokenPatience;
    this.#refused = token;
    this.#closeCode = refusal.closeCode;
  }

  /** The token of the connection is good, and ends soon. */
  expire(): void {
    this.#expiring = this.#token;
  }

  /** The next connection is to use this one. */
  put(token: string): void {
    this.forget();
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
    this.#pardon();
  }

  #pardon(): void {
    this.#refused = this.#expiring = undefined;
    this.#patientUntil = 0;
  }

  async #ask(): Promise<string | null> {
    return (await this.#options.getToken?.()) ?? null;
  }

  #noOther(): WebSocketClientError {
    return new WebSocketClientError('UNAUTHENTICATED', 'There is no new token.', {
      retryable: this.patience < Infinity,
      closeCode: this.#closeCode,
    });
  }
}

/** Whether a token is the one that is of no use any more, or none in its place: who was somebody is not nobody now. */
function isOld(token: string | null, old: string | null | undefined): boolean {
  return old !== undefined && (token === null || token === old);
}
