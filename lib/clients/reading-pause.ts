import { CLOSE_CODES } from '../protocol/close-codes.js';
import { NEUTRAL_SCOPE } from '../runtime/neutral-scope.js';
import type { Runtime, RuntimeTimer } from '../runtime/runtime.js';
import type { ClientSocket } from './client-socket.interface.js';

/** Milliseconds that a socket may stay unread; then its client is closed with 4008. */
const PATIENCE = 30_000;

/** A time in which a client's socket is not read, from its making to its end: TCP then holds the client back. */
export class ReadingPause {
  readonly #timer: RuntimeTimer;

  constructor(
    private readonly socket: ClientSocket,
    runtime: Runtime,
  ) {
    socket.pause();
    const { code, reason } = CLOSE_CODES.TOO_SLOW;
    this.#timer = runtime.timeout(PATIENCE, () => socket.close(code, reason));
  }

  end(): void {
    this.#timer.cancel();
    // A resumed stream emits what it holds in the scope of who resumed it, which would be that of the handler before.
    NEUTRAL_SCOPE.runInAsyncScope(() => this.socket.resume());
  }
}
