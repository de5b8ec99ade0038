import type { WebSocket } from 'ws';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { NEUTRAL_SCOPE } from '../../runtime/neutral-scope.js';
import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** Milliseconds that a socket may stay unread while none of its client's messages is worked off; then it gets 4008. */
const PATIENCE = 30_000;

/** A time in which a client's socket is not read, so that TCP holds the client back. It begins with one hold. */
export class ReadingPause {
  #holds = 1;
  #timer: RuntimeTimer;

  /** @param started how many of the client's messages have begun to be handled so far */
  constructor(
    private readonly socket: WebSocket,
    private readonly runtime: Runtime,
    private readonly started: () => number,
  ) {
    socket.pause();
    this.#timer = this.#watchFrom(started());
  }

  hold(): void {
    this.#holds++;
  }

  /** Undoes one hold. True when it was the last: the socket is read again. */
  release(): boolean {
    if (--this.#holds > 0) return false;
    this.#timer.cancel();
    // A resumed stream emits what it holds in the scope of whoever resumed it, which would be that of the handler before.
    NEUTRAL_SCOPE.runInAsyncScope(() => this.socket.resume());
    return true;
  }

  /** @param before how many messages had begun when the time began */
  #watchFrom(before: number): RuntimeTimer {
    return this.runtime.fairTimeout(PATIENCE, (wasStalled) => {
      const now = this.started();
      if (wasStalled || now > before) this.#timer = this.#watchFrom(now);
      else this.socket.close(CLOSE_CODES.TOO_SLOW.code, CLOSE_CODES.TOO_SLOW.reason);
    });
  }
}
