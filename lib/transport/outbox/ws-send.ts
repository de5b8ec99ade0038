import type { WebSocket } from 'ws';
import { WsError } from '../../errors/ws.error.js';

/** What ws' own `send` takes. */
export type WsData = Parameters<WebSocket['send']>[0];
export type SendCallback = (error?: Error) => void;

export interface RawSendOptions {
  mask?: boolean | undefined;
  binary?: boolean | undefined;
  compress?: boolean | undefined;
  fin?: boolean | undefined;
}

/**
 * The text of the message that ws makes of what its `send` gets; null where it makes a binary one.
 *
 * @throws WsError CONFLICT for a text message of something whose bytes are not here yet, such as a Blob
 */
export function textOf(data: WsData, options: RawSendOptions): string | null {
  const isScalar = typeof data === 'string' || typeof data === 'number';
  if ('binary' in options ? options.binary : !isScalar) return null;
  if (isScalar) return String(data);
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
  if (data instanceof ArrayBuffer) return Buffer.from(data).toString();
  throw new WsError('CONFLICT', 'With an outboundTransformer a text message is given as a string or its bytes.');
}

/** The bytes of what is no text. */
export function sizeOf(data: WsData): number {
  if (typeof data !== 'object') return 0;
  if (data instanceof Blob) return data.size;
  return 'byteLength' in data ? data.byteLength : 0;
}
