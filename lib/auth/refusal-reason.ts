/** The reasons for which authentications are refused, as metrics name them, with their phrases for the log. */
const SENTENCES = {
  missing: 'there were no credentials',
  several_tokens: 'it brought several tokens that are not the same',
  malformed: 'the token is no JSON Web Token',
  algorithm: 'the token is signed by an algorithm that is not allowed here',
  no_key: 'there is no key for the token',
  signature: 'the signature of the token is wrong: it was signed with another key, or changed',
  not_before: 'the token is not valid yet (nbf)',
  expired: 'the token has expired (exp)',
  too_old: 'the token is older than maxAge allows (iat)',
  issuer: 'the token is of another issuer (iss)',
  audience: 'the token is for another audience (aud)',
  no_subject: 'the token names no user: the claim that has to do so is missing, empty or of the wrong type',
  no_expiry: 'the token has no end (exp), which auth.jwt.requireExp asks for',
  invalid: 'the token is not valid',
  revoked: 'the token was revoked',
  refused: 'an authenticator has refused it',
  nobody_knows: 'every authenticator has passed on it',
  no_user: 'an authenticator has answered something that names no user',
  other_user: 'the new token is of another user',
  guard: 'a connection guard has refused it',
  pipe: 'a pipe has refused a parameter of the connection',
  failed: 'it failed',
  timeout: 'it took too long',
} as const;

/** Why an authentication was refused: a value of the label `reason` of the metric. */
export type RefusalReason = keyof typeof SENTENCES;

/** The phrase for a reason, which ends a sentence. */
export function describeReason(reason: RefusalReason): string {
  return SENTENCES[reason];
}
