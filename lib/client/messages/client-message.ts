import { MAX_NAME_LENGTH } from '../../protocol/route-key.js';
import type { ClientCodec, ClientMessage } from './client-codec.interface.js';
import { textOf } from './frame-fields.js';
import { WebSocketClientError } from '../websocket-client.error.js';

const NO_JSON = 'The message has no JSON form.';

/**
 * The text of a message's frame.
 *
 * @throws WebSocketClientError BAD_MESSAGE for names that are not of 1 to 64 characters, a colon in the type, and data without a JSON
 * form
 */
export function encodeMessage({ type, action, data }: ClientMessage, codec: ClientCodec, id?: number): string {
  if (!isName(type) || !isName(action) || type.includes(':')) throw badMessage('The message has no type or action.');
  if (typeof data === 'function' || typeof data === 'symbol') throw badMessage(NO_JSON);
  return encodeValue({ ...codec.encodeNames(type, action), data, id });
}

/** @throws WebSocketClientError BAD_MESSAGE for what has no JSON form (cycles, BigInt, functions) */
export function encodeValue(value: unknown): string {
  let cause: unknown;
  try {
    const text = JSON.stringify(value);
    // Its type does not say so: undefined for a function, among others.
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
