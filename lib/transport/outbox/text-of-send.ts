import { WsError } from '../../errors/ws.error.js';
import type { Data, SendOptions } from './outbox.socket.js';

/**
 * The text of the message that ws makes of what its `send` gets; null where it makes a binary one.
 *
 * @throws WsError CONFLICT for a text message of something whose bytes are not here yet, such as a Blob
 */
export function textOfSend(data: Data, options: SendOptions): string | null {
  const isScalar = typeof data === 'string' || typeof data === 'number';
  if ('binary' in options ? options.binary : !isScalar) return null;
  if (isScalar) return String(data);
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
  if (data instanceof ArrayBuffer) return Buffer.from(data).toString();
  throw new WsError('CONFLICT', 'With an outboundTransformer a text message is given as a string or its bytes.');
}
