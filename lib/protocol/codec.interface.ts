import type { CloseReason } from './close-codes.js';
import type { ErrorPayload, InboundMessage, ProtocolError, RequestId, Welcome } from './messages.js';

/** Whose envelope a connection speaks: that of PXL, or that of Ignis (and of Nest's own gateways). */
export type WsProtocolName = 'pxl' | 'event';

/** The subprotocol names (`Sec-WebSocket-Protocol`) of the codecs. */
export type CodecName = `${WsProtocolName}.v1`;

/** The names that tie a reply to its request. */
export interface RequestNames {
  readonly type: string;
  readonly action: string;
  readonly id: RequestId | undefined;
}

/**
 * Messages to and from the text of a frame. A connection uses one codec for life; all codecs speak the same messages.
 * The encoders throw what `JSON.stringify` throws (cycles, BigInt).
 */
export interface Codec {
  /** The subprotocol name of this codec. */
  readonly name: CodecName;
  /** What a client is told that sends anything else before it has authenticated. */
  readonly unauthenticated: string;
  /** What closes a client of this codec that sends nothing, where such clients are closed. */
  readonly inactive: CloseReason;
  /** Reads one text frame. Never throws. */
  decode(text: string): InboundMessage | ProtocolError;
  /** A push: a message in either shape, or any other JSON value. Undefined when the value has no JSON form. */
  encodePush(message: unknown): string | undefined;
  /** The answer to a request; `response: undefined` is written as null. */
  encodeReply(request: RequestNames, response: unknown): string;
  /** The end of a stream of replies; undefined where nobody could tell whose end it is. */
  encodeDone(request: RequestNames): string | undefined;
  /** The refusal of a request, or of a frame that was no request. */
  encodeError(error: ErrorPayload, request?: Partial<RequestNames>): string;
  /** The frames that greet an accepted connection, in order. */
  encodeWelcome(welcome: Welcome): string[];
  /** What a client hears that was welcomed as nobody and has told who it is. */
  encodeIdentified(welcome: Welcome): string;
  /** A request of the server that the client answers. */
  encodeCall(message: unknown, callId: number): string;
  /** A frame that holds another one, which only the cipher of the connection reads. */
  encodeEncrypted(data: unknown): string;
}
