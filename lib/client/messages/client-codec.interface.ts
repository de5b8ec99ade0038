import type { Fields } from './frame-fields.js';

/** A message with its names and data. */
export interface ClientMessage {
  readonly type: string;
  readonly action: string;
  readonly data?: unknown;
}

/** The differences of the two envelopes for a client; `readFrame` and `encodeMessage` do what is common. */
export interface ClientCodec {
  /** The subprotocol name. */
  readonly name: string;
  /** The type of `connected`, `encrypted` and `authenticate`. */
  readonly ownType: string;
  /** The route key of the answer to a refused request. */
  readonly errorKey: string;
  /** Whether the server is another one, which knows the envelope and nothing else of this library. */
  readonly isOther: boolean;
  /** Whether the client sends a sign of life each interval, since the server closes silent clients. */
  readonly beats: boolean;
  /** Encodes the names of a message as fields of its frame. */
  encodeNames(type: string, action: string): object;
  /** Reads the names of a frame; undefined when it has none. */
  decodeNames(fields: Fields): Omit<ClientMessage, 'data'> | undefined;
}
