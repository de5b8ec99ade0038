import type { IncomingMessage } from 'node:http';
import { digestOf } from '../../auth/digest.js';

/** The constant of the accept key (RFC 6455, 1.3). */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * The lines of the response that accepts an upgrade (RFC 6455, 4.2.2).
 *
 * @param protocol the subprotocol to answer; undefined where the client has offered none
 */
export function acceptLines({ headers }: IncomingMessage, protocol: string | undefined): string[] {
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${digestOf('sha1', `${headers['sec-websocket-key']}${KEY_SUFFIX}`)}`,
  ];
  if (protocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  return lines;
}

/** The head of a response. */
export function headOf(lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}
