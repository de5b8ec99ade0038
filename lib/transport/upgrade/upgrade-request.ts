import type { IncomingMessage } from 'node:http';
import { CODECS, codecOf } from '../../protocol/codecs.js';
import type { Codec, CodecName, WsProtocolName } from '../../protocol/codec.interface.js';
import type { HttpRefusal } from './http-refusal.js';

const KEY = /^[+/0-9A-Za-z]{22}==$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The refusal of a path that an endpoint's pattern fits, with a parameter that cannot be decoded. */
export const MALFORMED_PATH: HttpRefusal = { status: 400, body: 'The path is not percent-encoded UTF-8.' };

/** The path of a request: its target up to the query, byte for byte. */
export function pathOf({ url = '' }: Pick<IncomingMessage, 'url'>): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/** The refusal of a malformed handshake (RFC 6455, 4.2.1); undefined for a valid one. */
export function problemOfHandshake(request: IncomingMessage): HttpRefusal | undefined {
  const { method, headers, httpVersionMajor, httpVersionMinor } = request;
  // Node also accepts upgrades of HTTP/1.0, and upgrades without the header Host.
  if (httpVersionMajor === 1 && httpVersionMinor < 1) {
    return { status: 400, body: 'A WebSocket is opened with HTTP/1.1.' };
  }
  if (!headers.host) return { status: 400, body: 'The header Host is missing.' };
  if (method !== 'GET') return { status: 405, body: 'A WebSocket is opened with GET.', headers: { Allow: 'GET' } };
  const version = headers['sec-websocket-version'];
  if (version !== '13') {
    const headers = { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
    return { status: 426, body: 'The WebSocket version is 13.', headers };
  }
  if (!KEY.test(headers['sec-websocket-key'] ?? '')) {
    return { status: 400, body: 'The header Sec-WebSocket-Key is missing or malformed.' };
  }
  return undefined;
}

/** The offered subprotocols; undefined without any, and when the list is malformed or names one twice (RFC 6455, 11.3.4). */
export function offeredProtocols({ headers }: Pick<IncomingMessage, 'headers'>): string[] | undefined {
  const names = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
  if (!names || new Set(names).size < names.length || names.some((name) => !TOKEN.test(name))) return undefined;
  return names;
}

/**
 * The codec of a connection: that of the first offered subprotocol with a codec; the endpoint's when none is offered.
 * Undefined for a malformed list, and when only other subprotocols are offered: browsers fail a connection whose answer
 * names none of theirs.
 */
export function negotiateCodec(request: IncomingMessage, protocol: WsProtocolName): Codec | undefined {
  if (request.headers['sec-websocket-protocol'] === undefined) return codecOf(protocol);
  const isCodec = (candidate: string): candidate is CodecName => Object.hasOwn(CODECS, candidate);
  const name = offeredProtocols(request)?.find(isCodec);
  return name && CODECS[name];
}
