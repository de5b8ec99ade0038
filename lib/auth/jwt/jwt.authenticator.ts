import type { KeyObject } from 'node:crypto';
import { UnauthorizedException } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { isInstanceOf } from '../../errors/as-error.js';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import type { ResolvedAuth } from '../../options/auth.options.js';
import type { ResolvedJwt } from '../../options/jwt.options.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { WsCredentials, WsTokenInfo } from '../../options/authenticator.js';
import { PASS, refusal, type Decision } from '../decision.js';
import { reasonOfJwtFailure } from './jwt-failure.js';
import { askForKey, KeyProviderError } from './key-provider.js';
import { KeyedVerifier, type KeyService } from './keyed-verifier.js';
import { verifierOfOwn, VERIFY } from './own-jwt-service.js';
import type { RefusalReason } from '../refusal-reason.js';
import type { Claims, TokenVerifier } from './token-verifier.interface.js';

/**
 * Verifies JSON Web Tokens with `@nestjs/jwt`. Without a token it passes to the next authenticator; an invalid token is
 * refused. Nothing of a token is used before its signature is verified; only a key provider sees it earlier.
 */
export class JwtAuthenticator {
  private constructor(
    private readonly verifier: TokenVerifier,
    private readonly auth: ResolvedAuth,
    private readonly runtime: Runtime,
  ) {}

  /** @throws PxlWebSocketSetupError when the package, the application's own JwtService or its key is missing */
  static async create(auth: ResolvedAuth, moduleRef: ModuleRef, runtime: Runtime): Promise<JwtAuthenticator> {
    const { JwtService } = await importJwt();
    const { jwt } = auth;
    if (!jwt || jwt === true) {
      return new JwtAuthenticator(await verifierOfOwn(moduleRef, JwtService), auth, runtime);
    }
    const verifyOptions = verifyOptionsOf(jwt);
    const serviceOf = (secret: KeyObject | undefined): KeyService => new JwtService({ secret, verifyOptions });
    const verifier = new KeyedVerifier({ keyFor: keySourceOf(jwt), serviceOf, maxAge: jwt.maxAge, remembers: true });
    return new JwtAuthenticator(verifier, auth, runtime);
  }

  /** @throws the failure of the application's key provider */
  async decide({ token }: WsCredentials): Promise<Decision> {
    if (token === undefined) return PASS;
    const claims = await this.#verify(token);
    if (typeof claims === 'string') return refusal(claims);
    const { userId: idClaim, userType: typeClaim } = this.auth.claims;
    const userId = claims[idClaim];
    if (!(typeof userId === 'string' && userId !== '') && !Number.isSafeInteger(userId)) return refusal('no_subject');
    if (this.#options.requireExp && typeof claims.exp !== 'number') return refusal('no_expiry');
    const userType = claims[typeClaim];
    const user = {
      userId: String(userId),
      userType: typeof userType === 'string' ? userType : undefined,
      payload: claims,
    };
    return { kind: 'identity', identity: { user, token: this.#infoOf(claims) } };
  }

  /** The claims of a token, or the reason why it is not valid. */
  async #verify(token: string): Promise<Claims | RefusalReason> {
    try {
      const claims = await this.verifier.verify(token, Math.floor(this.runtime.now() / 1_000));
      return typeof claims === 'object' && claims !== null ? (claims as Claims) : 'malformed';
    } catch (error) {
      if (isInstanceOf(error, KeyProviderError)) throw error;
      if (isInstanceOf(error, UnauthorizedException)) return 'no_key';
      return reasonOfJwtFailure(error); // any other failure is the token's
    }
  }

  get #options(): Partial<ResolvedJwt> {
    return this.auth.jwt && this.auth.jwt !== true ? this.auth.jwt : {};
  }

  #infoOf({ jti, iat, exp }: Claims): WsTokenInfo {
    const { clockTolerance = 0, maxAge = Infinity } = this.#options;
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

function keySourceOf({ secret, publicKey, secretOrKeyProvider }: ResolvedJwt): (token: string) => unknown {
  if (secretOrKeyProvider) return (token) => askForKey(() => secretOrKeyProvider(VERIFY, token));
  return () => secret ?? publicKey;
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
