import type { WebSocket } from 'ws';
import { cutReason } from '../../clients/close-reason.js';
import { CLOSED_BY_PROXY, LOST, type CloseReason } from '../../protocol/close-codes.js';

/** What reads the frames of a socket, with properties that ws does not document. Only this file reads them. */
interface Receiver {
  readonly errored?: (Error & { readonly code?: string }) | null;
  /** Of the last frame whose header was read. */
  readonly _opcode?: number;
  readonly _payloadLength?: number;
  /** What has arrived behind that header. */
  readonly _buffers?: readonly Uint8Array[];
}

const CLOSE_FRAME = 8;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The end of a socket of which the last that was read is a close frame without a mask. Every client masks what it sends
 * (RFC 6455, 5.3); a proxy that was made to end its connections may write such a frame into the client's stream (Caddy 2.6).
 * ws has closed the socket for it, as it does for every frame without a mask; here it is only given its name.
 *
 * @returns null for every other end: also for a close frame with a code or a reason that none may have
 */
export function closeOfProxy(ws: WebSocket & { readonly _receiver?: Receiver | null }): CloseReason | null {
  const { errored, _opcode, _payloadLength = 0, _buffers = [] } = ws._receiver ?? {};
  if (_opcode !== CLOSE_FRAME || errored?.code !== 'WS_ERR_EXPECTED_MASK') return null;
  const arrived = Buffer.concat(_buffers);
  if (_payloadLength < 2 || arrived.length < _payloadLength) return { code: LOST, reason: CLOSED_BY_PROXY };
  const code = arrived.readUInt16BE(0);
  const reason = textOf(arrived.subarray(2, _payloadLength));
  if (!isSent(code) || reason === null) return null;
  return { code, reason: reason === '' ? CLOSED_BY_PROXY : cutReason(`${CLOSED_BY_PROXY}: ${reason}`) };
}

/** Whether a close frame may have this code (RFC 6455, 7.4). */
function isSent(code: number): boolean {
  const isOfProtocol = code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
  return isOfProtocol || (code >= 3000 && code <= 4999);
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}
