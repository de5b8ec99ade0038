import { MAX_NAME_LENGTH } from '../../protocol/route-key.js';
import type { ClientCodec, ClientMessage } from './client-codec.interface.js';
import { textOf } from './frame-fields.js';
import { WebSocketClientError } from '../websocket-client.error.js';

/** The sentence of an error. */
export const NO_JSON = 'The message has no JSON form.';

/**
 * Encodes a message as the text of its frame.
 *
 * @throws WebSocketClientError BAD_MESSAGE when a name does not have 1 to 64 characters, the type has a colon, or the data has
 * no JSON form
 */
export function encodeMessage({ type, action, data }: ClientMessage, codec: ClientCodec, id?: number): string {
  if (!isName(type) || !isName(action) || type.includes(':')) throw badMessage('The message has no type or action.');
  if (typeof data === 'function' || typeof data === 'symbol') throw badMessage(NO_JSON);
  return encodeValue({ ...codec.encodeNames(type, action), data, id });
}

/** @throws WebSocketClientError BAD_MESSAGE when the value has no JSON form (cycles, BigInt, functions) */
export function encodeValue(value: unknown): string {
  let cause: unknown;
  try {
    const text = JSON.stringify(value);
    // `JSON.stringify` returns undefined for a function, for example, though its type does not say so.
    if (text) return text;
  } catch (error) {
    cause = error;
  }
  throw badMessage(NO_JSON, cause);
}

function isName(value: unknown): boolean {
  const { length } = textOf(value) ?? '';
  return length > 0 && length <= MAX_NAME_LENGTH;
}

export function badMessage(sentence: string, cause?: unknown): WebSocketClientError {
  return new WebSocketClientError('BAD_MESSAGE', sentence, { cause });
}
