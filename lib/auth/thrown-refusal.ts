import { ForbiddenException, UnauthorizedException } from '@nestjs/common';
import { isError, isInstanceOf } from '../errors/as-error.js';
import { codeOf } from '../errors/code-of.js';
import { reasonOfTokenError } from './jwt/jwt-failure.js';
import type { RefusalReason } from './refusal-reason.js';

/** What was thrown in order to refuse somebody. */
export interface ThrownRefusal {
  readonly outcome: 'unauthenticated' | 'forbidden';
  /** What was wrong with a token; undefined where that is not known. */
  readonly reason: RefusalReason | undefined;
}

const OUTCOMES: ReadonlyMap<unknown, ThrownRefusal['outcome']> = new Map<unknown, ThrownRefusal['outcome']>([
  ['UNAUTHENTICATED', 'unauthenticated'],
  ['FORBIDDEN', 'forbidden'],
  [401, 'unauthenticated'],
  [403, 'forbidden'],
]);

/**
 * Whether an authenticator, a guard or a rule has refused by what it threw: Nest's exceptions of the status 401 and 403, a
 * `WsError` of the code UNAUTHENTICATED or FORBIDDEN, a `WsException` that was made with such a code or status, and what
 * libraries for JSON Web Tokens say of a token. Null for everything else: somebody who cannot be asked has refused nobody.
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
    return null; // a getter of its own throws
  }
}

/** Of an exception of Nest, also of another copy of its package; not of what a call to another server failed with. */
function statusOf(thrown: unknown): unknown {
  const { getStatus, getResponse } = Object(thrown) as { getStatus?: () => unknown; getResponse?: unknown };
  return typeof getStatus === 'function' && typeof getResponse === 'function' ? getStatus.call(thrown) : undefined;
}

/** Of this copy of its package or another. */
function ofWsException(thrown: unknown): ThrownRefusal | null {
  const { getError } = Object(thrown) as { getError?: () => unknown };
  if (!isError(thrown) || typeof getError !== 'function') return null;
  const content = getError.call(thrown);
  if (isError(content)) return thrownRefusal(content);
  const { code, status, statusCode } = Object(content) as Readonly<Record<string, unknown>>;
  const outcome = [code, status, statusCode].map((said) => OUTCOMES.get(said)).find((known) => known !== undefined);
  return outcome ? { outcome, reason: undefined } : null;
}
