import type { Codec, CodecName } from './codec.interface.js';
import { pxlCodec } from './pxl.codec.js';

/** Every codec by its subprotocol name, in the order in which the server prefers them. */
export const CODECS: Readonly<Record<CodecName, Codec>> = { 'pxl.v1': pxlCodec };
