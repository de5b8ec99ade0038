/** The token of the {@link Revocations} that the module works with. */
export const PXL_WS_REVOCATIONS = Symbol('PXL_WS_REVOCATIONS');

/** What of a verified token is held against the revocations. */
export interface RevocableToken {
  readonly userId: string;
  /** The token's id (`jti`). */
  readonly id: string | undefined;
  /** ms since 1970; a token that does not say counts as issued before every revocation. */
  readonly issuedAt: number | undefined;
}

/** One revocation: of one token by its id, or of all of a user's tokens issued up to a time. */
export interface Revocation {
  readonly subject:
    { readonly kind: 'user'; readonly userId: string } | { readonly kind: 'token'; readonly id: string };
  /** ms since 1970: tokens issued then or earlier are meant. */
  readonly before: number;
  /** ms since 1970: when the last token that is meant has expired by itself, and the entry can go. */
  readonly until: number;
}

/** Remembers which tokens are revoked, until they would have expired anyway. */
export interface Revocations {
  /** A revocation of this worker: every worker remembers it. */
  add(revocation: Revocation): void | Promise<void>;
  /** A revocation of another worker. */
  learn(revocation: Revocation): void;
  isRevoked(token: RevocableToken): boolean | Promise<boolean>;
}
