/** What a token says. */
export type Claims = Record<string, unknown>;

/** Verifies JSON Web Tokens. */
export interface TokenVerifier {
  /**
   * @param now seconds since 1970
   * @returns the claims
   * @throws the errors of jsonwebtoken; UnauthorizedException where there is no key for the token; KeyProviderError where that
   * is not known
   */
  verify(token: string, now: number): Promise<unknown>;
}
