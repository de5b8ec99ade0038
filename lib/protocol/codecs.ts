import type { Codec, CodecName, WsProtocolName } from './codec.interface.js';
import { eventCodec } from './event.codec.js';
import { pxlCodec } from './pxl.codec.js';

/** Every codec by its subprotocol name. */
export const CODECS: Readonly<Record<CodecName, Codec>> = { 'pxl.v1': pxlCodec, 'event.v1': eventCodec };

/** The codec of connections that name none. */
export function codecOf(protocol: WsProtocolName): Codec {
  return CODECS[`${protocol}.v1`];
}
