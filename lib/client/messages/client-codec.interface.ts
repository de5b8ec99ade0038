import type { Fields } from './frame-fields.js';

/** A message by its names and its data. */
export interface ClientMessage {
  readonly type: string;
  readonly action: string;
  readonly data?: unknown;
}

/** What of the two envelopes differs for a client; `readFrame` and `encodeMessage` do the rest. */
export interface ClientCodec {
  /** The subprotocol name. */
  readonly name: string;
  /** The type of `connected`, `encrypted` and `authenticate`. */
  readonly ownType: string;
  /** The key of what a refused request is answered with. */
  readonly errorKey: string;
  /** Whether the server knows the envelope, and nothing else of this library. */
  readonly isOther: boolean;
  /** Whether the server expects a sign of life each interval, since it closes clients that say nothing. */
  readonly beats: boolean;
  /** The names of a message as they stand in its frame. */
  encodeNames(type: string, action: string): object;
  /** The names of a frame; undefined when it has none. */
  decodeNames(fields: Fields): Omit<ClientMessage, 'data'> | undefined;
}
