import type { RefusalReason } from '../refusal-reason.js';

/** The sentences of jsonwebtoken about a token, by their beginnings; some go on with the expected value. */
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
 * The sentences with which jsonwebtoken reports a mistake of its caller by the same errors: a key that is missing or could
 * not be fetched, an invalid option. Every token fails then.
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

/** The sentence of jwks-rsa, passed on by jsonwebtoken, for a token that names a key which its issuer does not have. */
const UNKNOWN_KEY = 'error in secret or public key callback: Unable to find a signing key';

/** The sentence of jose, with the code ERR_JWS_INVALID, when it gets no token. */
const NO_TOKEN_OF_JOSE = 'Compact JWS must be a string';

/** The errors of jsonwebtoken by their names, with the reason for an unknown sentence. Names hold for any copy of it. */
const BY_NAME: ReadonlyMap<unknown, RefusalReason> = new Map([
  ['JsonWebTokenError', 'invalid'],
  ['TokenExpiredError', 'expired'],
  ['NotBeforeError', 'not_before'],
]);

/** The errors of jose about a token by their codes, without those about the keys and how they are fetched. */
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

/** The reasons by the claim that jose names. */
const BY_CLAIM: ReadonlyMap<unknown, RefusalReason> = new Map([
  ['nbf', 'not_before'],
  ['iat', 'too_old'],
  ['aud', 'audience'],
  ['iss', 'issuer'],
  ['sub', 'no_subject'],
]);

/**
 * The reason why a `JwtService` could not verify a token. Its errors differ by their text only; an unknown text, of another
 * version or an application's own service, is `invalid`.
 */
export function reasonOfJwtFailure(failure: unknown): RefusalReason {
  try {
    const { name, message } = failure as { name?: unknown; message?: unknown };
    // A part of the token is no JSON.
    if (name === 'SyntaxError') return 'malformed';
    return reasonOfSentence(String(message)) ?? 'invalid';
  } catch {
    return 'invalid';
  }
}

/**
 * The reason in an error of jsonwebtoken, jwks-rsa or jose about a token. Undefined for any other value, also for their
 * errors about missing keys. Never throws.
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
