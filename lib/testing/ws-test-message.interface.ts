/**
 * A frame as the server wrote it: each field is there where the message has it. What a server pushed that is no object
 * arrives as it is.
 */
export interface WsTestMessage {
  readonly type?: string;
  readonly action?: string;
  readonly event?: string;
  readonly id?: string | number;
  readonly data?: unknown;
  /** The room that a push was sent to, where the server has `rooms.named`. */
  readonly room?: string;
  /** What a handler answered. */
  readonly response?: unknown;
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
