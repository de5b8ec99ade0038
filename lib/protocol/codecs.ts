import type { Codec, CodecName, WsProtocolName } from './codec.interface.js';
import { eventCodec } from './event.codec.js';
import { pxlCodec } from './pxl.codec.js';

/** The codecs by subprotocol name. */
export const CODECS: Readonly<Record<CodecName, Codec>> = { 'pxl.v1': pxlCodec, 'event.v1': eventCodec };

/** The codec of an endpoint's connections that offer no subprotocol. */
export function codecOf(protocol: WsProtocolName): Codec {
  return CODECS[`${protocol}.v1`];
}
