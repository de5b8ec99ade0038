import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CLOSE_CODES, type CloseReason } from '../../protocol/close-codes.js';
import { CUT_AFTER } from '../../runtime/close-or-cut.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { HttpRefusal } from './http-refusal.js';
import { acceptLines, headOf } from './handshake.js';
import { offeredProtocols } from './upgrade-request.js';

/** The subprotocol that a client offers to get refusals as close codes: a page cannot read an HTTP status. */
const OFFER = 'pxl.refusals';

/** The close code for each status. Other statuses have none: neither waiting nor a log-in would help. */
const CODES: Readonly<Partial<Record<number, number>>> = {
  400: CLOSE_CODES.UNFIT.code,
  401: CLOSE_CODES.AUTH_FAILED.code,
  403: CLOSE_CODES.FORBIDDEN.code,
  404: CLOSE_CODES.UNFIT.code,
  429: CLOSE_CODES.RATE_LIMITED.code,
  503: CLOSE_CODES.UNAVAILABLE.code,
};

const FINAL_CLOSE = 0x88;

/** Whether the client asks for refusals as close codes: it reads what the reason of a close says of it, `after` too. */
export function readsCloseReasons(request: Pick<IncomingMessage, 'headers'>): boolean {
  return offeredProtocols(request)?.includes(OFFER) ?? false;
}

/** The refusal as a close code, its reason in JSON of at most 123 bytes; undefined where it stays a status. */
export function closeOf({ status, body, after }: HttpRefusal): CloseReason | undefined {
  const code = CODES[status];
  if (code === undefined) return undefined;
  return { code, reason: JSON.stringify({ error: body, after }) };
}

/**
 * Accepts an upgrade and closes it in one write. It never becomes a connection: ws' server hears nothing of it, and within
 * a second its socket is gone.
 *
 * @param protocol the subprotocol to answer, where the client has offered any
 */
export function acceptAndClose(
  request: IncomingMessage,
  stream: Duplex,
  protocol: string | undefined,
  { code, reason }: CloseReason,
  runtime: Runtime,
): void {
  if (stream.destroyed || stream.writableEnded) {
    stream.destroy();
    return;
  }
  const timer = runtime.timeout(CUT_AFTER, () => stream.destroy());
  stream.once('close', () => timer.cancel());
  // The server ends the connection after the peer's close frame, and reads nothing else of it.
  const end = (): void => void stream.end();
  stream.once('data', end).once('end', end);
  const accepted = Buffer.from(headOf(acceptLines(request, protocol)));
  stream.write(Buffer.concat([accepted, closeFrame(code, reason)]));
  stream.resume();
}

function closeFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason);
  const head = Buffer.from([FINAL_CLOSE, 2 + text.length, code >> 8, code & 0xff]);
  return Buffer.concat([head, text]);
}
