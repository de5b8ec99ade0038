import { WsError } from '../errors/ws.error.js';
import { CLOSE_CODES, isApplicationCloseCode, type CloseReason } from '../protocol/close-codes.js';

const MAX_BYTES = 123;

/**
 * The code and reason with which an application closes a connection. Default: 4506.
 *
 * @throws WsError BAD_MESSAGE for a code other than 1000 and 3000–4999
 */
export function applicationClose(code: number = CLOSE_CODES.DISCONNECTED.code, reason?: string): CloseReason {
  if (!isApplicationCloseCode(code)) {
    throw new WsError('BAD_MESSAGE', `A connection closes with code 1000 or 3000–4999, not ${code}.`);
  }
  const constant = code === CLOSE_CODES.DISCONNECTED.code ? CLOSE_CODES.DISCONNECTED.reason : '';
  return { code, reason: cutReason(reason ?? constant) };
}

/** The close that asks a client to connect again, here or to another worker, after so many ms. */
export function restartClose(after: number): CloseReason {
  return { code: CLOSE_CODES.RESTART.code, reason: JSON.stringify({ after }) };
}

/** Cuts a close reason to the 123 bytes of UTF-8 that a close frame holds (RFC 6455, 5.5), between two characters. */
export function cutReason(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_BYTES) return reason;
  let bytes = 0;
  let cut = '';
  for (const character of reason) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_BYTES) break;
    cut += character;
  }
  return cut;
}
