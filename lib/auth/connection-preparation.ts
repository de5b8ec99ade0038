import { isUnexpected, toErrorPayload } from '../errors/exception-mapper.js';
import type { ErrorPayload } from '../protocol/messages.js';
import type { Refused } from './authentication.js';
import type { ConnectionCandidate } from './connection-candidate.js';
import { thrownRefusal } from './thrown-refusal.js';

/** What a gateway makes ready for a connection before it is accepted: the arguments of its `handleConnection`. */
export interface ConnectionPreparation {
  /** The name of the gateway. */
  readonly name: string;
  /** Does nothing for a connection that it has made ready before. Rejects with what a pipe throws. */
  prepare(candidate: ConnectionCandidate): Promise<void>;
}

/** A connection whose parameters are refused, and the error that says so to a client that can be answered. */
export interface Unfit {
  readonly outcome: 'unfit' | 'notFound';
  readonly reason: 'pipe';
  readonly by: string;
  readonly error: ErrorPayload;
}

/** What a pipe has thrown, as a refusal or a failure. */
export function refusalOfPipe(
  thrown: unknown,
  by: string,
): Unfit | Refused | { readonly outcome: 'failed'; readonly error: unknown } {
  const refused = thrownRefusal(thrown);
  if (refused) return { ...refused, reason: refused.reason ?? 'pipe', by };
  const error = toErrorPayload(thrown);
  // What may succeed later refuses nobody: clients come back after a failure.
  if (isUnexpected(thrown) || error.retryable) return { outcome: 'failed', error: thrown };
  return { outcome: error.code === 'NOT_FOUND' ? 'notFound' : 'unfit', reason: 'pipe', by, error };
}
