import type { ClientSession } from '../../clients/session/client-session.js';
import type { Runtime } from '../../runtime/runtime.js';

/** A ping to a client: whether it has left, and until when the client has time to answer. */
export class Ping {
  #sentBytes = 0;
  /** When the ping left; before that, when something in front of it last did. */
  #movedAt: number;
  #hasLeft = false;

  constructor(
    private readonly session: ClientSession,
    private readonly runtime: Runtime,
  ) {
    this.#movedAt = runtime.monotonic();
  }

  send(): void {
    this.session.ws.ping(undefined, undefined, this.#left);
    this.#sentBytes = this.session.sentBytes;
  }

  /**
   * Until when the client has time: `timeout` after the ping has left. While the ping waits behind other bytes, that time
   * begins anew whenever some of them have left since the last call.
   */
  dueAt(timeout: number): number {
    if (!this.#hasLeft) {
      const sentBytes = this.session.sentBytes;
      if (sentBytes > this.#sentBytes) this.#movedAt = this.runtime.monotonic();
      this.#sentBytes = sentBytes;
    }
    return this.#movedAt + timeout;
  }

  /** Begins the client's time anew, after a pause of this process in which the client could not be heard. */
  restart(): void {
    this.#movedAt = this.runtime.monotonic();
  }

  readonly #left = (error?: Error | null): void => {
    if (error) return;
    this.#hasLeft = true;
    this.#movedAt = this.runtime.monotonic();
  };
}
