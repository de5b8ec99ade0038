import type { AnswerStream } from './answer-stream.js';

/** How the library's own messages go out. */
export interface OutgoingOptions {
  /**
   * What is said on the connection that there is, and means nothing on any later one. `now`: it counts, and waits for
   * nothing; `first`: leaves before everything that waits in the queue; `inTurn`: waits there with all else.
   */
  readonly lane?: 'now' | 'first' | 'inTurn' | undefined;
  /** Called when nobody waits for the answer any more, and the request has left. */
  readonly abandoned?: (id: Outgoing['id']) => void;
}

/** A message on its way out. */
export interface Outgoing extends OutgoingOptions {
  readonly text: string;
  /** As the application gave it. */
  readonly message: unknown;
  readonly isBinary?: boolean;
  /** Of a request: what its answers come under, and who waits for them. Without an id it is answered once it has left. */
  readonly id?: number | string | undefined;
  readonly asker?: AnswerStream;
}
