import { createPublicKey } from 'node:crypto';
import type { OptionChecks } from './checks/option-checks.js';

/** The algorithms that a token may be signed with; `none` is not among them. */
export type WsJwtAlgorithm = `${'HS' | 'RS' | 'PS' | 'ES'}${'256' | '384' | '512'}`;

/** Finds the key for a token: the function that `JwtModule` of `@nestjs/jwt` takes under the same name. */
export type WsJwtKeyProvider = (
  requestType: number,
  token: string,
) => string | Buffer | null | undefined | Promise<string | Buffer | null | undefined>;

/** How tokens are verified. Exactly one of `secret`, `publicKey` and `secretOrKeyProvider` is given. */
export interface WsJwtOptions {
  /** The shared secret of HS256, HS384 and HS512. */
  secret?: string | Buffer | undefined;
  /** The public key of the signer, in PEM: RSA for RS and PS, elliptic for ES. */
  publicKey?: string | Buffer | undefined;
  /**
   * Finds the key for each token, which is not verified yet. Null means that there is no such key (401), and so does an
   * exception that refuses an authentication: an `UnauthorizedException`, or the errors of jose and jwks-rsa for a missing
   * key. Any other failure is the server's (500).
   */
  secretOrKeyProvider?: WsJwtKeyProvider | undefined;
  /** The accepted algorithms. Default: all that fit the key. */
  algorithms?: readonly WsJwtAlgorithm[] | undefined;
  /** The accepted issuers (`iss`). Default: any. */
  issuer?: string | readonly string[] | undefined;
  /** The accepted audiences (`aud`), of which a token names at least one. Default: any. */
  audience?: string | readonly string[] | undefined;
  /** Seconds by which clocks may differ; a connection also lives that much longer than its token. Default: 0. */
  clockTolerance?: number | undefined;
  /** Seconds after its issue (`iat`) at which a token ends, whatever its `exp` says. Default: none. */
  maxAge?: number | undefined;
  /**
   * True: a token without an end (`exp`) is refused. Such a token is valid for ever, also for a thief, unless it is
   * revoked. Default: false, since some issuers set no end.
   */
  requireExp?: boolean | undefined;
  /** The names of the claims that tell who the user is. */
  claims?: WsJwtClaims | undefined;
}

/** Which claims of a token become `client.user`. */
interface WsJwtClaims {
  /** Default: `'sub'`. */
  userId?: string | undefined;
  /** Default: `'userType'`. */
  userType?: string | undefined;
}

/** The resolved `auth.jwt` options, as far as they can be resolved at start-up. */
export interface ResolvedJwt {
  readonly secret: string | Buffer | undefined;
  readonly publicKey: string | Buffer | undefined;
  readonly secretOrKeyProvider: WsJwtKeyProvider | undefined;
  /** Undefined when the key is found for each token: the kind of the key decides then. */
  readonly algorithms: readonly WsJwtAlgorithm[] | undefined;
  readonly issuer: readonly string[];
  readonly audience: readonly string[];
  readonly clockTolerance: number;
  readonly maxAge: number | undefined;
  readonly requireExp: boolean;
}

const OF_SECRET: readonly WsJwtAlgorithm[] = ['HS256', 'HS384', 'HS512'];
const OF_RSA_PSS: readonly WsJwtAlgorithm[] = ['PS256', 'PS384', 'PS512'];
const OF_RSA: readonly WsJwtAlgorithm[] = ['RS256', 'RS384', 'RS512', ...OF_RSA_PSS];
const OF_EC: readonly WsJwtAlgorithm[] = ['ES256', 'ES384', 'ES512'];
const ALL: readonly WsJwtAlgorithm[] = [...OF_SECRET, ...OF_RSA, ...OF_EC];
const BY_KEY_TYPE: Readonly<Record<string, readonly WsJwtAlgorithm[]>> = {
  rsa: OF_RSA,
  'rsa-pss': OF_RSA_PSS,
  ec: OF_EC,
};

const FROM_ENVIRONMENT = 'is the environment variable set that it comes from?';
const EMPTY = `an empty one: ${FROM_ENVIRONMENT}`;
const UNSET = `undefined: ${FROM_ENVIRONMENT}`;

/** @throws PxlWebSocketOptionsError in one sentence */
export function resolveJwt(jwt: OptionChecks): ResolvedJwt {
  const secret = readKey(jwt, 'secret');
  const publicKey = readKey(jwt, 'publicKey');
  const secretOrKeyProvider = jwt.callback('secretOrKeyProvider') as WsJwtKeyProvider | undefined;
  const keys = [secret, publicKey, secretOrKeyProvider].filter((key) => key !== undefined);
  if (keys.length !== 1) {
    // With two keys the value of `secret` is not the mistake, so the error does not mention it.
    const shown = keys.length === 0 ? UNSET : undefined;
    jwt.refuse('secret', 'given, or else publicKey, or secretOrKeyProvider: exactly one of them', shown);
  }
  // Used as a secret, a public key would let everybody who knows it sign tokens.
  if (secret !== undefined && typeOfPublicKey(secret))
    jwt.refuse('secret', 'no public key: that is given as publicKey');
  const fitting = algorithmsOf(secret, publicKey);
  if (fitting.length === 0) jwt.refuse('publicKey', 'an RSA or elliptic public key in PEM');
  const given = jwt.words('algorithms', fitting);
  // When the key is found for each token, jsonwebtoken checks the algorithm against the kind of the key.
  const pinned = given.length > 0 ? given : secretOrKeyProvider ? undefined : fitting;
  return {
    secret,
    publicKey,
    secretOrKeyProvider,
    algorithms: pinned,
    issuer: readTexts(jwt, 'issuer'),
    audience: readTexts(jwt, 'audience'),
    clockTolerance: jwt.integer('clockTolerance', 0, 0),
    maxAge: jwt.limit('maxAge', false, 1) || undefined,
    requireExp: jwt.boolean('requireExp', false),
  };
}

function readKey(jwt: OptionChecks, option: string): string | Buffer | undefined {
  const key = jwt.raw(option);
  if (key === undefined) return undefined;
  if ((typeof key === 'string' || Buffer.isBuffer(key)) && key.length > 0) return key;
  const isEmpty = key === '' || (Buffer.isBuffer(key) && key.length === 0);
  return jwt.refuse(option, 'a text or a Buffer that is not empty', isEmpty ? EMPTY : undefined);
}

function readTexts(jwt: OptionChecks, option: string): readonly string[] {
  const given = jwt.raw(option);
  return typeof given === 'string' && given !== '' ? [given] : jwt.texts(option);
}

function algorithmsOf(secret: unknown, publicKey: string | Buffer | undefined): readonly WsJwtAlgorithm[] {
  if (secret !== undefined) return OF_SECRET;
  if (publicKey === undefined) return ALL;
  return BY_KEY_TYPE[typeOfPublicKey(publicKey) ?? ''] ?? [];
}

function typeOfPublicKey(key: string | Buffer): string | undefined {
  try {
    return createPublicKey(key).asymmetricKeyType;
  } catch {
    return undefined;
  }
}
