import type { IncomingMessage, Server } from 'node:http';
import { Server as TlsServer } from 'node:tls';
import type { Duplex } from 'node:stream';

const NOT_FORWARDED = new Set(['upgrade', 'http2-settings']);

/**
 * Serves a request for another upgrade than `websocket` (`h2c` from Java's client or curl) as an ordinary request, as RFC
 * 9110, 7.8 allows. Node gives such requests to the upgrade listeners, without their body. So the request is put in front
 * of its connection again, without the headers of the upgrade, and the connection is given back to the server.
 */
export function serveAsOrdinaryRequest(server: Server, request: IncomingMessage, stream: Duplex, head: Buffer): void {
  const { method = 'GET', url = '/', httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    const lower = name.toLowerCase();
    if (NOT_FORWARDED.has(lower)) continue;
    if (lower !== 'connection') {
      text += `${name}: ${value}\r\n`;
      continue;
    }
    const options = value.split(',').map((option) => option.trim());
    const kept = options.filter((option) => !NOT_FORWARDED.has(option.toLowerCase()));
    if (kept.length > 0) text += `${name}: ${kept.join(', ')}\r\n`;
  }
  if (head.length > 0) stream.unshift(head);
  stream.unshift(Buffer.from(`${text}\r\n`, 'latin1'));
  server.emit(server instanceof TlsServer ? 'secureConnection' : 'connection', stream);
}
