import type { ClientSession } from '../../clients/session/client-session.js';
import type { Runtime } from '../../runtime/runtime.js';

/** A ping that was sent to a client, and how far it has come. */
export class Ping {
  #sentBytes = 0;
  /** When it left; until then, when something before it did. */
  #movedAt: number;
  #hasLeft = false;

  constructor(
    private readonly client: ClientSession,
    private readonly runtime: Runtime,
  ) {
    this.#movedAt = runtime.monotonic();
  }

  send(): void {
    this.client.ws.ping(undefined, undefined, this.#left);
    this.#sentBytes = this.client.sentBytes;
  }

  /**
   * Until when the client has time: `timeout` after the ping has left. While it waits behind what was sent before, which
   * the client is reading, that begins anew with every look.
   */
  dueAt(timeout: number): number {
    if (!this.#hasLeft) {
      const sentBytes = this.client.sentBytes;
      if (sentBytes > this.#sentBytes) this.#movedAt = this.runtime.monotonic();
      this.#sentBytes = sentBytes;
    }
    return this.#movedAt + timeout;
  }

  /** Begins the client's time anew, since it is not known what it did meanwhile. */
  forgive(): void {
    this.#movedAt = this.runtime.monotonic();
  }

  readonly #left = (error?: Error | null): void => {
    if (error) return;
    this.#hasLeft = true;
    this.#movedAt = this.runtime.monotonic();
  };
}
