import { WsError } from '../errors/ws.error.js';
import type { Codec } from '../protocol/codec.interface.js';

/**
 * The frame text of a message for clients of one codec.
 *
 * @throws WsError BAD_MESSAGE when the message has no JSON form: undefined, functions, BigInt, cycles
 */
export function encodeMessage(codec: Codec, message: unknown): string {
  let text: string | undefined;
  try {
    text = codec.encodePush(message);
  } catch (cause) {
    throw new WsError('BAD_MESSAGE', 'The message has no JSON form.', { cause });
  }
  if (text === undefined) throw new WsError('BAD_MESSAGE', 'The message has no JSON form.');
  return text;
}

/** Whether a value is a message of either shape, not any other JSON value. */
export function isMessage(whole: unknown): whole is object {
  if (typeof whole !== 'object' || whole === null) return false;
  const { type, action, event } = whole as Record<string, unknown>;
  return type === undefined ? typeof event === 'string' : typeof type === 'string' && typeof action === 'string';
}
