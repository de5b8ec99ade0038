import { UnauthorizedException } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { isInstanceOf } from '../errors/as-error.js';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import type { JwtKeyProvider } from '../interfaces/auth-options.interface.js';
import type { ResolvedAuth } from '../options/auth.options.js';
import type { ResolvedJwt } from '../options/jwt.options.js';
import type { Runtime } from '../runtime/runtime.js';
import type { WsAuthenticator, WsCredentials, WsTokenInfo, WsVerdict } from './authenticator.interface.js';

type Claims = Record<string, unknown>;

/** What is used of the JwtService of `@nestjs/jwt`: an optional peer, so its types stay out of ours. */
interface TokenVerifier {
  verifyAsync(token: string, options: { clockTimestamp: number }): Promise<unknown>;
}

/** A key provider of the application failed: no fault of the token. */
class KeyProviderError extends Error {}

/**
 * Verifies JSON Web Tokens with `@nestjs/jwt`. Without a token it passes on; a token that is not valid in every respect
 * is refused. Nothing of a token is used before its signature holds; only a key provider sees it earlier.
 */
export class JwtAuthenticator implements WsAuthenticator {
  private constructor(
    private readonly verifier: TokenVerifier,
    private readonly auth: ResolvedAuth,
    private readonly runtime: Runtime,
  ) {}

  /** @throws PxlWebSocketSetupError when the package, or the application's own JwtService, is missing */
  static async create(auth: ResolvedAuth, moduleRef: ModuleRef, runtime: Runtime): Promise<JwtAuthenticator> {
    const { JwtService } = await importJwt();
    const verifier =
      auth.jwt && auth.jwt !== true
        ? new JwtService({ ...keyOf(auth.jwt), verifyOptions: verifyOptionsOf(auth.jwt) })
        : findOwn(moduleRef, JwtService);
    return new JwtAuthenticator(verifier, auth, runtime);
  }

  async authenticate({ token }: WsCredentials): Promise<WsVerdict> {
    if (token === undefined) return null;
    const claims = await this.#verify(token);
    if (!claims) return false;
    const { userId: idClaim, userType: typeClaim } = this.auth.claims;
    const userId = claims[idClaim];
    if (!(typeof userId === 'string' && userId !== '') && !Number.isSafeInteger(userId)) return false;
    const userType = claims[typeClaim];
    return {
      userId: String(userId),
      userType: typeof userType === 'string' ? userType : undefined,
      payload: claims,
      token: this.#infoOf(claims),
    };
  }

  async #verify(token: string): Promise<Claims | undefined> {
    const clockTimestamp = Math.floor(this.runtime.now() / 1_000);
    try {
      const claims = await this.verifier.verifyAsync(token, { clockTimestamp });
      return typeof claims === 'object' && claims !== null ? (claims as Claims) : undefined;
    } catch (error) {
      if (isInstanceOf(error, KeyProviderError)) throw error;
      return undefined; // whatever else is wrong, it is wrong with the token
    }
  }

  #infoOf({ jti, iat, exp }: Claims): WsTokenInfo {
    const { clockTolerance = 0, maxAge = Infinity } = this.auth.jwt && this.auth.jwt !== true ? this.auth.jwt : {};
    const ends = [typeof exp === 'number' ? exp : Infinity, typeof iat === 'number' ? iat + maxAge : Infinity];
    const end = Math.min(...ends) + clockTolerance;
    return {
      id: typeof jti === 'string' ? jti : undefined,
      issuedAt: typeof iat === 'number' ? iat * 1_000 : undefined,
      expiresAt: end === Infinity ? undefined : end * 1_000,
    };
  }
}

async function importJwt(): Promise<typeof import('@nestjs/jwt')> {
  try {
    return await import('@nestjs/jwt');
  } catch (cause) {
    throw new PxlWebSocketSetupError('The option auth.jwt needs the package @nestjs/jwt: npm install @nestjs/jwt.', {
      cause,
    });
  }
}

function findOwn(moduleRef: ModuleRef, type: new () => TokenVerifier): TokenVerifier {
  try {
    return moduleRef.get<TokenVerifier>(type, { strict: false });
  } catch (cause) {
    throw new PxlWebSocketSetupError(
      'The option auth.jwt is true, but there is no JwtService: import JwtModule, or give auth.jwt a key.',
      { cause },
    );
  }
}

function keyOf({ secret, publicKey, secretOrKeyProvider: provider }: ResolvedJwt): {
  secret?: string | Buffer;
  publicKey?: string | Buffer;
  secretOrKeyProvider?: (requestType: number, token: unknown) => Promise<string | Buffer>;
} {
  if (!provider) return { secret, publicKey };
  return { secretOrKeyProvider: (requestType, token) => askProvider(provider, requestType, String(token)) };
}

/** An empty key verifies nothing, so that null refuses the token. */
async function askProvider(provider: JwtKeyProvider, requestType: number, token: string): Promise<string | Buffer> {
  try {
    return (await provider(requestType, token)) ?? '';
  } catch (cause) {
    if (isInstanceOf(cause, UnauthorizedException)) throw cause;
    throw new KeyProviderError('The key provider of auth.jwt failed.', { cause });
  }
}

interface VerifyOptions {
  algorithms?: JwtAlgorithms;
  issuer?: [string, ...string[]];
  audience?: [string, ...string[]];
  clockTolerance: number;
  maxAge?: number;
}
type JwtAlgorithms = NonNullable<ResolvedJwt['algorithms']>[number][];

function verifyOptionsOf({ algorithms, issuer, audience, clockTolerance, maxAge }: ResolvedJwt): VerifyOptions {
  return {
    algorithms: algorithms && [...algorithms],
    issuer: atLeastOne(issuer),
    audience: atLeastOne(audience),
    clockTolerance,
    maxAge,
  };
}

function atLeastOne([first, ...others]: readonly string[]): [string, ...string[]] | undefined {
  return first === undefined ? undefined : [first, ...others];
}
