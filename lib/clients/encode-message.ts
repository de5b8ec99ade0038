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
