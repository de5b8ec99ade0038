/** What ties a reply to its request: chosen by the client, a string of at most 64 characters or a safe integer. */
export type RequestId = string | number;

/** A message under a pair of names: the shape of PXL. */
export interface WsTypedMessage<Data = unknown> {
  readonly type: string;
  readonly action: string;
  readonly data?: Data;
}

/** A message under one event name: the shape of Ignis and of Nest's gateways. */
export interface WsEventMessage<Data = unknown> {
  readonly event: string;
  readonly data?: Data;
}

/** What an application sends: either shape reaches clients of both codecs, each in its own. */
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

/** A frame that is no message: why, in a sentence for people, and the request's id where one could be read. */
export interface ProtocolError {
  readonly problem: string;
  /** More about it, where the sentence is a fixed one. */
  readonly details?: { readonly problem: string } | undefined;
  readonly id: RequestId | undefined;
}

/** What a failed request is answered with. */
export interface ErrorPayload {
  /** A sentence for people. */
  readonly error: string;
  /** A code for programs: one of `WS_ERROR_CODES` or the application's own. */
  readonly code: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** More for programs: the fields that failed validation, `retryAfter` in ms. */
  readonly details?: unknown;
}

/** What the first frame of an accepted connection tells. */
export interface Welcome {
  readonly clientId: string;
  /** What is the same for all clients of the endpoint, as `termsText` writes it. */
  readonly terms: string;
  readonly userId: string | undefined;
  /** Where the connection is encrypted: PROTOCOL.md "Encryption". */
  readonly serverPublicKey?: string;
  readonly salt?: string;
  /** The server's time, in ms since 1970. */
  readonly time: number;
}

/** The end of a connection that a component is: PXL's `type` of servers and clients. */
export type WebSocketType = 'server' | 'client';
