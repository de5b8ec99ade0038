import { ForbiddenException, UnauthorizedException } from '@nestjs/common';
import { isError, isInstanceOf } from '../errors/as-error.js';
import { codeOf } from '../errors/code-of.js';
import { reasonOfTokenError } from './jwt/jwt-failure.js';
import type { RefusalReason } from './refusal-reason.js';

/** An exception that refuses a client. */
export interface ThrownRefusal {
  readonly outcome: 'unauthenticated' | 'forbidden';
  /** What was wrong with the token; undefined when that is not known. */
  readonly reason: RefusalReason | undefined;
}

const OUTCOMES: ReadonlyMap<unknown, ThrownRefusal['outcome']> = new Map<unknown, ThrownRefusal['outcome']>([
  ['UNAUTHENTICATED', 'unauthenticated'],
  ['FORBIDDEN', 'forbidden'],
  [401, 'unauthenticated'],
  [403, 'forbidden'],
]);

/**
 * Reads the refusal in an exception of an authenticator, a guard or a rule: Nest's exceptions of the status 401 and 403, a
 * `WsError` of the code UNAUTHENTICATED or FORBIDDEN, a `WsException` that was made with such a code or status, and the
 * errors of libraries for JSON Web Tokens about a token. Null for everything else, which is a failure and refuses no client.
 * Never throws.
 */
export function thrownRefusal(thrown: unknown): ThrownRefusal | null {
  if (isInstanceOf(thrown, UnauthorizedException)) return { outcome: 'unauthenticated', reason: undefined };
  if (isInstanceOf(thrown, ForbiddenException)) return { outcome: 'forbidden', reason: undefined };
  const reason = reasonOfTokenError(thrown);
  if (reason) return { outcome: 'unauthenticated', reason };
  try {
    const outcome = OUTCOMES.get(codeOf(thrown) ?? statusOf(thrown));
    return outcome ? { outcome, reason: undefined } : ofWsException(thrown);
  } catch {
    return null; // one of its getters has thrown
  }
}

/** The status of Nest's own exceptions, of any copy of its package, and not of the error of a call to another server. */
function statusOf(thrown: unknown): unknown {
  const { getStatus, getResponse } = Object(thrown) as { getStatus?: () => unknown; getResponse?: unknown };
  return typeof getStatus === 'function' && typeof getResponse === 'function' ? getStatus.call(thrown) : undefined;
}

/** The refusal in a `WsException` of any copy of its package. */
function ofWsException(thrown: unknown): ThrownRefusal | null {
  const { getError } = Object(thrown) as { getError?: () => unknown };
  if (!isError(thrown) || typeof getError !== 'function') return null;
  const content = getError.call(thrown);
  if (isError(content)) return thrownRefusal(content);
  const { code, status, statusCode } = Object(content) as Readonly<Record<string, unknown>>;
  const outcome = [code, status, statusCode].map((said) => OUTCOMES.get(said)).find((known) => known !== undefined);
  return outcome ? { outcome, reason: undefined } : null;
}
