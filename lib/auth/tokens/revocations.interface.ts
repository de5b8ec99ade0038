/** The token of the {@link Revocations} that the module works with. */
export const PXL_WS_REVOCATIONS = Symbol('PXL_WS_REVOCATIONS');

/** The parts of a verified token that are compared with the revocations. */
export interface RevocableToken {
  readonly userId: string;
  /** The token's id (`jti`). */
  readonly id: string | undefined;
  /** ms since 1970; a token without it counts as issued before every revocation. */
  readonly issuedAt: number | undefined;
}

/** One revocation: of one token by its id, or of all of a user's tokens issued up to a time. */
export interface Revocation {
  readonly subject:
    { readonly kind: 'user'; readonly userId: string } | { readonly kind: 'token'; readonly id: string };
  /** ms since 1970: tokens issued then or earlier are revoked. */
  readonly before: number;
  /** ms since 1970: when the last revoked token has expired by itself, and the entry can be removed. */
  readonly until: number;
}

/** Remembers which tokens are revoked, until they would have expired anyway. */
export interface Revocations {
  /** Adds a revocation of this worker, which every worker remembers. */
  add(revocation: Revocation): void | Promise<void>;
  /** Adds a revocation of another worker. */
  learn(revocation: Revocation): void;
  isRevoked(token: RevocableToken): boolean | Promise<boolean>;
}
