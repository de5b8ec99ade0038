import type { Whisperer } from '../client/messages/handlers.interface.js';

/**
 * A frame as the server wrote it, with the fields that the message has. A pushed value that is not an object arrives as it is.
 */
export interface WsTestMessage {
  readonly type?: string;
  readonly action?: string;
  readonly event?: string;
  readonly id?: string | number;
  readonly data?: unknown;
  /** The room that a push was sent to, if the server has `rooms.named` or the room has history. */
  readonly room?: string;
  /** The number of a push in a room with history. */
  readonly offset?: number;
  /** What the copies of a push to several rooms with history have in common. */
  readonly copy?: string;
  /** The answer of a handler. */
  readonly response?: unknown;
  /** Of a whisper: the member that it is from. */
  readonly from?: Whisperer;
  /** True in the last frame of a stream. */
  readonly done?: boolean;
  /** A call of the server, to be answered with {@link WsTestClient.answer}. */
  readonly callId?: number;
}

/** How a connection ended. */
export interface WsTestClose {
  readonly code: number;
  readonly reason: string;
}
