import type { WebSocketClientOptions } from './client-options.interface.js';
import { WebSocketClientError } from './websocket-client.error.js';

/** The token, kept for as long as it is known to be good: after a loss of the network nobody is asked for another. */
export class TokenSource {
  readonly #getToken: WebSocketClientOptions['getToken'];
  #token: string | null = null;
  #isGood = false;
  /** What the server has refused last; undefined when nothing. */
  #refused: string | null | undefined;

  constructor(getToken: WebSocketClientOptions['getToken']) {
    this.#getToken = getToken;
  }

  /** Whether another token can be had. */
  get areRenewable(): boolean {
    return this.#getToken !== undefined;
  }

  /**
   * The token for the next connection; null for none.
   *
   * @throws what `getToken` throws; WebSocketClientError UNAUTHENTICATED when it gives what was refused
   */
  async current(): Promise<string | null> {
    // Where nobody gives another, the one that was put is all there is: that an attempt failed says nothing against it.
    return this.#isGood || !this.#getToken ? this.#token : await this.renew();
  }

  /** Another token, from `getToken`; otherwise as {@link current}. */
  async renew(): Promise<string | null> {
    const token = (await this.#getToken?.()) ?? null;
    if (token === this.#refused) throw new WebSocketClientError('UNAUTHENTICATED', 'The token was refused already.');
    return token;
  }

  /** The server has taken a token; it is kept unless there is another one meanwhile. */
  accept(token: string | null): void {
    if (!this.#isGood) this.#token = token;
    this.#isGood = true;
    this.#refused = undefined;
  }

  /** A token is not known to be good any more. */
  forget(token = this.#token): void {
    this.#isGood &&= token !== this.#token;
  }

  /** The server has refused a token. */
  refuse(token: string | null): void {
    this.forget(token);
    this.#refused = token;
  }

  /** The next connection is to use this one. */
  put(token: string): void {
    this.forget();
    this.accept(token);
  }

  /** Somebody has seen to it that another try makes sense. */
  pardon(): void {
    this.#refused = undefined;
  }
}
