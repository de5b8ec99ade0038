import type { AnswerStream } from './answer-stream.js';

/** How one of the library's own messages is sent. */
export interface OutgoingOptions {
  /**
   * Set for messages that belong to the present connection only. `now`: sent at once, but counted; `first`: sent before the
   * queue; `inTurn`: sent with the queue.
   */
  readonly lane?: 'now' | 'first' | 'inTurn' | undefined;
  /** Called when a request that was sent has been given up. */
  readonly abandoned?: ((id: Outgoing['id']) => void) | undefined;
  /** Called with an answer before the next frame is read, which may depend on it. */
  readonly heard?: ((response: unknown) => void) | undefined;
}

/** A message to be sent. */
export interface Outgoing extends OutgoingOptions {
  readonly text: string;
  /** The message as the application gave it. */
  readonly message: unknown;
  readonly isBinary?: boolean;
  /** A request's id, under which its answers arrive. A request without an id resolves when it is sent. */
  readonly id?: number | string | undefined;
  readonly asker?: AnswerStream;
}
