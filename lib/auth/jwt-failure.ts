import type { RefusalReason } from './refusal-reason.js';

/** What jsonwebtoken says of a token, by how its sentence begins. Behind that may stand what was expected. */
const BY_SENTENCE: readonly (readonly [beginning: string, reason: RefusalReason])[] = [
  ['jwt expired', 'expired'],
  ['maxAge exceeded', 'too_old'],
  ['iat required', 'too_old'],
  ['jwt not active', 'not_before'],
  ['jwt malformed', 'malformed'],
  ['jwt must be', 'malformed'],
  ['invalid token', 'malformed'],
  ['invalid algorithm', 'algorithm'],
  ['"alg" parameter', 'algorithm'],
  ['please specify "none"', 'algorithm'],
  ['secretOrPublicKey must be', 'algorithm'],
  ['secretOrPublicKey is not', 'no_key'],
  ['secret or public key must be provided', 'no_key'],
  ['invalid signature', 'signature'],
  ['jwt signature is required', 'signature'],
  ['jwt audience invalid', 'audience'],
  ['jwt issuer invalid', 'issuer'],
];

/**
 * Why a token could not be verified, by what a `JwtService` failed with. Its errors differ in nothing but their text: what
 * is not known here, of another version or an application's own service, is `invalid`.
 */
export function reasonOfJwtFailure(failure: unknown): RefusalReason {
  try {
    const { name, message } = failure as { name?: unknown; message?: unknown };
    // Parts that are no JSON.
    if (name === 'SyntaxError') return 'malformed';
    const text = String(message);
    return BY_SENTENCE.find(([beginning]) => text.startsWith(beginning))?.[1] ?? 'invalid';
  } catch {
    return 'invalid';
  }
}
