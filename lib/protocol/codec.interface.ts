import type { CloseReason } from './close-codes.js';
import type { ErrorPayload, InboundMessage, ProtocolError, RequestId, Welcome } from './messages.js';

/** The envelope of a connection: that of PXL, or that of Ignis (and of Nest's own gateways). */
export type WsProtocolName = 'pxl' | 'event';

/** The subprotocol names (`Sec-WebSocket-Protocol`) of the codecs. */
export type CodecName = `${WsProtocolName}.v1`;

/** The names and the id by which a reply belongs to its request. */
export interface RequestNames {
  readonly type: string;
  readonly action: string;
  readonly id: RequestId | undefined;
}

/**
 * Encodes and decodes the text of frames. A connection keeps its codec; all codecs carry the same messages. The encoders throw
 * what `JSON.stringify` throws (cycles, BigInt).
 */
export interface Codec {
  /** The subprotocol name of this codec. */
  readonly name: CodecName;
  /** The sentence for a client that sends something else before it has authenticated. */
  readonly unauthenticated: string;
  /** The close code and reason for inactive clients. */
  readonly inactive: CloseReason;
  /** Decodes one text frame. Never throws. */
  decode(text: string): InboundMessage | ProtocolError;
  /** Encodes a push: a message in either shape, or any other JSON value. Undefined when the value has no JSON form. */
  encodePush(message: unknown): string | undefined;
  /** Encodes the answer to a request; `response: undefined` is written as null. */
  encodeReply(request: RequestNames, response: unknown): string;
  /** Encodes the end of a stream of replies; undefined for a request without an id, where nobody could assign it. */
  encodeDone(request: RequestNames): string | undefined;
  /** Encodes the refusal of a request, or of a malformed frame. */
  encodeError(error: ErrorPayload, request?: Partial<RequestNames>): string;
  /** Encodes the first frames of an accepted connection, in order. */
  encodeWelcome(welcome: Welcome): string[];
  /** Encodes the frame for an anonymous client that has authenticated. */
  encodeIdentified(welcome: Welcome): string;
  /** Encodes a request of the server to the client. */
  encodeCall(message: unknown, callId: number): string;
  /** Encodes a frame that contains an encrypted one. */
  encodeEncrypted(data: unknown): string;
  /** Encodes the same for text in base64url, which needs no escaping. */
  encodeSealed(base64url: string): string;
}
