/** The id that the client gives a request: a string of at most 64 characters or a safe integer. */
export type RequestId = string | number;

/** A message with a pair of names: the shape of PXL. */
export interface WsTypedMessage<Data = unknown> {
  readonly type: string;
  readonly action: string;
  readonly data?: Data;
}

/** A message with an event name: the shape of Ignis and of Nest's gateways. */
export interface WsEventMessage<Data = unknown> {
  readonly event: string;
  readonly data?: Data;
}

/** A message of an application. Either shape reaches clients of both codecs, each in its own shape. */
export type WebSocketMessage<Data = unknown> = WsTypedMessage<Data> | WsEventMessage<Data>;

/** A decoded request of a client. */
export interface InboundMessage {
  readonly type: string;
  readonly action: string;
  readonly data: unknown;
  readonly id: RequestId | undefined;
  /** The message as the client wrote it. */
  readonly whole: unknown;
}

/** A malformed frame: a sentence about the problem, and the request's id if it could be read. */
export interface ProtocolError {
  readonly problem: string;
  /** The problem, when the sentence is a fixed one. */
  readonly details?: { readonly problem: string } | undefined;
  readonly id: RequestId | undefined;
}

/** The answer to a failed request. */
export interface ErrorPayload {
  /** A sentence for people. */
  readonly error: string;
  /** A code for programs: one of `WS_ERROR_CODES` or the application's own. */
  readonly code: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** Details for programs: the fields that failed validation, `retryAfter` in ms. */
  readonly details?: unknown;
}

/** What a welcome tells of the client's return to rooms with presence: PROTOCOL.md "Presence". */
export interface ReturnNotice {
  /** The secret with which its next connection is the same member; undefined where no room has presence. */
  readonly resume?: string | undefined;
  /** Whether this connection is the same member as a former one; undefined when it has presented no secret. */
  readonly resumed?: boolean | undefined;
}

/** The content of an accepted connection's first frame. */
export interface Welcome extends ReturnNotice {
  readonly clientId: string;
  /** The part that is the same for all clients of the endpoint, written by `termsText`. */
  readonly terms: string;
  readonly userId: string | undefined;
  /** Only on an encrypted connection: PROTOCOL.md "Encryption". */
  readonly serverPublicKey?: string;
  readonly salt?: string;
  /** The server's time, in ms since 1970. */
  readonly time: number;
}

/** The end of a connection that a component is: PXL's `type` of servers and clients. */
export type WebSocketType = 'server' | 'client';
