import type { Type } from '@nestjs/common';
import type { WsAuthenticate, WsAuthenticator } from '../auth/authenticator.interface.js';

/** The places of an upgrade request that a token can stand in. */
export type TokenPlace = 'header' | 'protocol' | 'cookie' | 'query';

/** The algorithms that a token may be signed with; `none` is not among them. */
export type JwtAlgorithm = `${'HS' | 'RS' | 'PS' | 'ES'}${'256' | '384' | '512'}`;

/** Finds the key for a token: the function that `JwtModule` of `@nestjs/jwt` takes under the same name. */
export type JwtKeyProvider = (
  requestType: number,
  token: string,
) => string | Buffer | null | undefined | Promise<string | Buffer | null | undefined>;

/** Who a connection is. At least one of `jwt` and `authenticate` is given: without them the application does not start. */
export interface AuthOptions {
  /**
   * Verifies JSON Web Tokens through the package `@nestjs/jwt`; `true` uses the application's own `JwtService` with its
   * options, which have to hold a key. `client.user` is `{ userId, userType?, payload }` from the claims.
   */
  jwt?: JwtOptions | true | undefined;
  /** Authenticators of the application's own, functions or classes, asked in order, after `jwt`. */
  authenticate?: Authenticate | Authenticate[] | undefined;
  /**
   * False: who brings no credentials is accepted as anonymous; wrong ones are refused all the same. Default: true. An
   * authenticator may let somebody in as anonymous in either case: `{ anonymous: true }`.
   */
  required?: boolean | undefined;
  /**
   * When a client proves who it is: `'upgrade'`, before the connection is accepted; `'message'`, by `system.authenticate`
   * as its first message; `'either'`, by message where the upgrade brought no credentials. Default: `'upgrade'`; on an
   * event endpoint `'either'`.
   */
  mode?: 'upgrade' | 'message' | 'either' | undefined;
  /**
   * Where a token may stand in the upgrade request: `Authorization: Bearer`, `bearer.<token>` among the subprotocols, the
   * cookie `token`, `?token=`. Default: all four.
   */
  tokenFrom?: TokenPlace[] | undefined;
  /**
   * Milliseconds that a client has for its `system.authenticate`; then it is closed with 4001. Three times that while
   * its authentication runs. Default: 5 000.
   */
  timeout?: number | undefined;
  /**
   * `'close'`: where an upgrade would be answered 401, it is accepted and closed with 4003, which browsers can read. Clients
   * that offer `pxl.refusals` read close codes in any case. Default: `'status'`.
   */
  rejectMode?: 'status' | 'close' | undefined;
}

/** A function, or a class that Nest provides or can make. */
export type Authenticate = WsAuthenticate | Type<WsAuthenticator>;

/** How tokens are verified. Exactly one of `secret`, `publicKey` and `secretOrKeyProvider` is given. */
export interface JwtOptions {
  /** The shared secret of HS256, HS384 and HS512. */
  secret?: string | Buffer | undefined;
  /** The public key of the signer, in PEM: RSA for RS and PS, elliptic for ES. */
  publicKey?: string | Buffer | undefined;
  /**
   * Finds the key for each token, of which nothing is verified yet. Null, or throwing what refuses an authentication (an
   * `UnauthorizedException`, jose's and jwks-rsa's errors for a key that there is not), means that there is no such key
   * (401); any other failure is the server's (500).
   */
  secretOrKeyProvider?: JwtKeyProvider | undefined;
  /** Default: all that fit the key. */
  algorithms?: JwtAlgorithm[] | undefined;
  /** Who may have issued the token (`iss`). Default: anybody with the key. */
  issuer?: string | string[] | undefined;
  /** For whom the token is (`aud`), at least one of these. Default: not asked. */
  audience?: string | string[] | undefined;
  /** Seconds that clocks may differ by; a connection also lives that much longer than its token. Default: 0. */
  clockTolerance?: number | undefined;
  /** Seconds after its issue (`iat`) at which a token ends, whatever its `exp` says. Default: no such end. */
  maxAge?: number | undefined;
  /**
   * True: a token without an end (`exp`) is refused. Such a token is valid for ever, to whoever has got hold of it, unless
   * it is revoked. Default: false, since tokens of issuers that set no end would be refused.
   */
  requireExp?: boolean | undefined;
  /** The claims that tell who it is. Default: `{ userId: 'sub', userType: 'userType' }`. */
  claims?: { userId?: string | undefined; userType?: string | undefined } | undefined;
}
