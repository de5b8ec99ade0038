import type { ClientSocket } from '../../clients/session/client-socket.interface.js';
import type { CloseReason } from '../../protocol/close-codes.js';

/** What the life of a connection needs of its socket, beside what its client needs. */
export interface ConnectionSocket extends ClientSocket {
  /** Writes what waits for the end of the turn. */
  flush(): void;
  /** What this side closed the connection with, if it did so first and that is known. */
  readonly closedWith: CloseReason | null;
}
