import type { RefusalReason } from '../refusal-reason.js';

/** What jsonwebtoken says of a token, by how its sentence begins. Behind that may stand what was expected. */
const BY_SENTENCE: readonly (readonly [beginning: string, reason: RefusalReason])[] = [
  ['jwt expired', 'expired'],
  ['maxAge exceeded', 'too_old'],
  ['iat required', 'too_old'],
  ['jwt not active', 'not_before'],
  ['jwt malformed', 'malformed'],
  ['jwt must be provided', 'missing'],
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
 * What jsonwebtoken says, with the same errors, of who calls it: a key that is missing or could not be fetched, an option
 * that is none. Every token fails by it.
 */
const OF_THE_CALLER = [
  'error in secret or public key callback',
  'secret or public key must be provided',
  'secretOrPublicKey is not',
  'verify must be called',
  'clockTimestamp must',
  'nonce must',
  'allowInvalidAsymmetricKeyTypes',
  '"maxAge" should',
] as const;

/** How jsonwebtoken passes on what jwks-rsa says of a token that names a key which its issuer has not. */
const UNKNOWN_KEY = 'error in secret or public key callback: Unable to find a signing key';

/** What jose says, of the code ERR_JWS_INVALID, where it was given no token. */
const NO_TOKEN_OF_JOSE = 'Compact JWS must be a string';

/** The errors of jsonwebtoken, of any copy of it, by their names; what one of them is where its sentence is not known. */
const BY_NAME: ReadonlyMap<unknown, RefusalReason> = new Map([
  ['JsonWebTokenError', 'invalid'],
  ['TokenExpiredError', 'expired'],
  ['NotBeforeError', 'not_before'],
]);

/** The errors of jose that are about the token, by their codes. Those about the keys, and how they are fetched, are none. */
const BY_CODE: ReadonlyMap<unknown, RefusalReason> = new Map([
  ['ERR_JWT_EXPIRED', 'expired'],
  ['ERR_JWT_CLAIM_VALIDATION_FAILED', 'invalid'],
  ['ERR_JWT_INVALID', 'malformed'],
  ['ERR_JWS_INVALID', 'malformed'],
  ['ERR_JWE_INVALID', 'malformed'],
  ['ERR_JWE_DECRYPTION_FAILED', 'invalid'],
  ['ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'signature'],
  ['ERR_JWKS_NO_MATCHING_KEY', 'no_key'],
  ['ERR_JOSE_ALG_NOT_ALLOWED', 'algorithm'],
  ['ERR_JOSE_NOT_SUPPORTED', 'algorithm'],
]);

/** What of a token is wrong where jose names the claim. */
const BY_CLAIM: ReadonlyMap<unknown, RefusalReason> = new Map([
  ['nbf', 'not_before'],
  ['iat', 'too_old'],
  ['aud', 'audience'],
  ['iss', 'issuer'],
  ['sub', 'no_subject'],
]);

/**
 * Why a token could not be verified, by what a `JwtService` failed with. Its errors differ in nothing but their text: what
 * is not known here, of another version or an application's own service, is `invalid`.
 */
export function reasonOfJwtFailure(failure: unknown): RefusalReason {
  try {
    const { name, message } = failure as { name?: unknown; message?: unknown };
    // Parts that are no JSON.
    if (name === 'SyntaxError') return 'malformed';
    return reasonOfSentence(String(message)) ?? 'invalid';
  } catch {
    return 'invalid';
  }
}

/**
 * What is wrong with a token, where that is what was thrown: by jsonwebtoken, jwks-rsa or jose. Undefined for anything
 * else, also where they say that they have no keys. Never throws.
 */
export function reasonOfTokenError(thrown: unknown): RefusalReason | undefined {
  try {
    const { name, message, code, claim } = Object(thrown) as Readonly<Record<string, unknown>>;
    const text = String(message);
    if (name === 'SigningKeyNotFoundError') return 'no_key';
    const ofName = BY_NAME.get(name);
    if (ofName) {
      if (text.startsWith(UNKNOWN_KEY)) return 'no_key';
      if (OF_THE_CALLER.some((beginning) => text.startsWith(beginning))) return undefined;
      return reasonOfSentence(text) ?? ofName;
    }
    const ofCode = text.startsWith(NO_TOKEN_OF_JOSE) ? 'missing' : BY_CODE.get(code);
    return ofCode && (BY_CLAIM.get(claim) ?? ofCode);
  } catch {
    return undefined;
  }
}

function reasonOfSentence(text: string): RefusalReason | undefined {
  return BY_SENTENCE.find(([beginning]) => text.startsWith(beginning))?.[1];
}
