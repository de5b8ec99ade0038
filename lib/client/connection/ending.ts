import { LOST, reactionTo, type ClientReaction } from '../../protocol/close-codes.js';
import type { WsErrorCode } from '../../protocol/error-codes.js';
import { fieldsOf, parse, textOf } from '../messages/frame-fields.js';
import type { HttpAnswer } from './socket.interface.js';
import { WebSocketClientError } from '../websocket-client.error.js';

/** The error code for each close code; UNAVAILABLE for all others. */
const CODES: Partial<Record<number, WsErrorCode>> = {
  3000: 'UNAUTHENTICATED',
  3003: 'FORBIDDEN',
  4001: 'UNAUTHENTICATED',
  4003: 'UNAUTHENTICATED',
  4005: 'UNAUTHENTICATED',
  4009: 'RATE_LIMITED',
  4522: 'BAD_MESSAGE',
};

/** How an attempt or a connection ended. It alone decides what the client does next. */
export interface Ending {
  /** The close code. */
  readonly code: number;
  readonly reaction: ClientReaction;
  /** The wait that the server asked for, in ms; Infinity: until the page is shown again. */
  readonly after?: number | undefined;
  /** Whether this side ended the connection with 1000. */
  readonly isOwn?: boolean;
  /** The error with which pending requests reject. */
  readonly error: WebSocketClientError;
}

/** The ending when the server closed the connection, or it broke. */
export function endingOfClose(given: number, words: string, cause?: unknown): Ending {
  // Deno reports 0 for a connection that broke.
  const code = given || LOST;
  // The reason of these codes (a restart, or a refused upgrade) may be JSON: `{ error?, after? }`.
  const isTold = code === 1012 || code === 1013 || CODES[code];
  const { error, after: asked } = fieldsOf(isTold ? parse(words) : undefined);
  const after = waitOf(asked);
  const said = textOf(error) ?? ((after === undefined && words) || fieldsOf(cause).message);
  const reason = textOf(said) ?? `The connection ended (${code}).`;
  return { ...endingBy(code, reason, { cause }), after };
}

/** The ending when the server refused the upgrade by HTTP. Only `ws` shows this; in pages the connection just broke. */
export function endingOfRefusal({ statusCode: status = 0, headers }: HttpAnswer): Ending {
  /** The close code that corresponds to each status. */
  const codes: Partial<Record<number, number>> = { 401: 4003, 403: 3003, 429: 4009 };
  const code = codes[status] ?? (status < 500 ? 1002 : 1013);
  const after = waitOf(Number(headers['retry-after']) * 1_000);
  return { ...endingBy(code, `The server answered ${status}.`, { details: { status } }), after };
}

/** The ending of an attempt that did not reach the server. It is final only for a client error that is not retryable. */
export function endingOfFailure(cause: unknown): Ending {
  if (!(cause instanceof WebSocketClientError)) return endingBy(LOST, String(cause), { cause });
  return { code: cause.closeCode ?? LOST, reaction: cause.retryable ? 'retry' : 'stop', error: cause };
}

interface More {
  readonly cause?: unknown;
  readonly details?: unknown;
  /** Default: the error code for the close code. */
  readonly errorCode?: WsErrorCode;
}

/** The ending for a close code. */
export function endingBy(
  code: number,
  reason: string,
  { cause, details, errorCode = CODES[code] ?? 'UNAVAILABLE' }: More = {},
): Ending {
  const reaction = reactionTo(code);
  const retryable = reaction !== 'stop' && reaction !== 'replaceToken';
  const options = { retryable, closeCode: code, details, cause };
  return { code, reaction, error: new WebSocketClientError(errorCode, reason, options) };
}

function waitOf(ms: unknown): number | undefined {
  /** The longest wait in ms that a server can ask for. */
  const longest = 300_000;
  return typeof ms === 'number' && ms >= 0 ? Math.min(ms, longest) : undefined;
}
