import { LOST, reactionTo, type ClientReaction } from '../../protocol/close-codes.js';
import type { ErrorCode } from '../../protocol/error-codes.js';
import { fieldsOf, parse, textOf } from '../messages/frame-fields.js';
import type { HttpAnswer } from './socket.interface.js';
import { WebSocketClientError } from '../websocket-client.error.js';

/** What says the same as a close code; any other one: UNAVAILABLE. */
const CODES: Partial<Record<number, ErrorCode>> = {
  3000: 'UNAUTHENTICATED',
  3003: 'FORBIDDEN',
  4001: 'UNAUTHENTICATED',
  4003: 'UNAUTHENTICATED',
  4005: 'UNAUTHENTICATED',
  4009: 'RATE_LIMITED',
};

/** How an attempt or a connection ended: every way out has one, and what comes next depends on nothing else. */
export interface Ending {
  /** The close code. */
  readonly code: number;
  readonly reaction: ClientReaction;
  /** Milliseconds that the server asked to wait; Infinity: until the page is back. */
  readonly after?: number | undefined;
  /** This side has ended it, in peace: the server sees 1000. */
  readonly isOwn?: boolean;
  /** What was under way rejects with it. */
  readonly error: WebSocketClientError;
}

/** The connection was closed by the server, or broke. */
export function endingOfClose(given: number, words: string, cause?: unknown): Ending {
  // Deno has 0 for a connection that broke.
  const code = given || LOST;
  // The codes of refused upgrades, and of a restart: the reason may be `{ error?, after? }`, for programs.
  const told = [1012, 1013, 3003, 4003, 4009];
  const { error, after: asked } = fieldsOf(told.includes(code) ? parse(words) : undefined);
  const after = waitOf(asked);
  const said = textOf(error) ?? ((after === undefined && words) || fieldsOf(cause).message);
  const reason = textOf(said) ?? `The connection ended (${code}).`;
  return { ...endingBy(code, reason, { cause }), after };
}

/** The server has refused the upgrade by HTTP; seen by `ws` only, in pages this is a connection that broke. */
export function endingOfRefusal({ statusCode: status = 0, headers }: HttpAnswer): Ending {
  /** The close code that says the same as a status. */
  const codes: Partial<Record<number, number>> = { 401: 4003, 403: 3003, 429: 4009 };
  const code = codes[status] ?? (status < 500 ? 1002 : 1013);
  const after = waitOf(Number(headers['retry-after']) * 1_000);
  return { ...endingBy(code, `The server answered ${status}.`, { details: { status } }), after };
}

/** The attempt never came to the server: an error of ours says whether another one makes sense, others may pass. */
export function endingOfFailure(cause: unknown): Ending {
  if (!(cause instanceof WebSocketClientError)) return endingBy(LOST, String(cause), { cause });
  return { code: cause.closeCode ?? LOST, reaction: cause.retryable ? 'retry' : 'stop', error: cause };
}

interface More {
  readonly cause?: unknown;
  readonly details?: unknown;
  /** Default: what says the same as the close code. */
  readonly errorCode?: ErrorCode;
}

/** The ending with a close code. */
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
