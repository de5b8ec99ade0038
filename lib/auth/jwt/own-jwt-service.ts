import { UnauthorizedException } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { JwtModuleOptions } from '@nestjs/jwt';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import type { RefusalReason } from '../refusal-reason.js';
import { isSignedWithEmptyKey, tokenOfEmptyKey } from './empty-key.js';
import { reasonOfJwtFailure } from './jwt-failure.js';
import { askForKey } from './key-provider.js';
import { KeyedVerifier, type KeyService } from './keyed-verifier.js';
import type { TokenVerifier } from './token-verifier.interface.js';

/** `JwtSecretRequestType.VERIFY`, which a provider of keys gets. */
export const VERIFY = 1;

/** The part of a JwtService of `@nestjs/jwt` that is used; the package is optional, so its types are not in ours. */
interface OwnJwtService extends KeyService {
  verifyAsync(token: string, options: { clockTimestamp?: number }): Promise<unknown>;
}

/** The reasons with which a token fails before its claims are checked. */
const BEFORE_CLAIMS: readonly RefusalReason[] = ['malformed', 'algorithm', 'signature', 'invalid'];

/** The options of the application's JwtModule that are used. */
interface OwnOptions extends Pick<JwtModuleOptions, 'secret' | 'publicKey' | 'secretOrPrivateKey' | 'verifyOptions'> {
  readonly secretOrKeyProvider?: (requestType: number, token: string) => unknown;
}

/** The JwtService class of `@nestjs/jwt`, which is an optional peer. */
interface JwtServiceType {
  new (options: JwtModuleOptions): OwnJwtService;
  readonly prototype: OwnJwtService;
}

/**
 * A verifier with the options of the application's own JwtService, or that service itself where its class or its method
 * is the application's own, which may find its keys in another way or check more.
 *
 * @throws PxlWebSocketSetupError when there is none, or it has no key to verify with
 */
export async function verifierOfOwn(moduleRef: ModuleRef, type: JwtServiceType): Promise<TokenVerifier> {
  const service = find(moduleRef, type);
  const options = optionsOf(service);
  const isReplaced = service.verifyAsync !== type.prototype.verifyAsync; // by the class, or in this one object
  if (!isReplaced && !options?.secretOrKeyProvider) await checkKey(service);
  const isOwn = isReplaced || Object.getPrototypeOf(service) !== type.prototype;
  return options && !isOwn ? verifierLike(options, type) : new OwnClassVerifier(service);
}

/** Unlike the original, it tells a failed provider of keys from an invalid token. The options stay the application's: keys too. */
function verifierLike(options: OwnOptions, type: JwtServiceType): TokenVerifier {
  const { complete, maxAge } = options.verifyOptions ?? {};
  return new KeyedVerifier({
    keyFor: (token) => {
      if (options.secretOrPrivateKey) return options.secretOrPrivateKey; // as the service has it: the old name goes first
      if (options.secretOrKeyProvider) return askForKey(() => options.secretOrKeyProvider?.(VERIFY, token));
      return [options.secret, options.publicKey].find(Boolean); // an empty secret counts as none
    },
    serviceOf: (secret) => new type({ secret, verifyOptions: options.verifyOptions }),
    // With `complete` the claims are not all that is returned; a `maxAge` may be a text.
    remembers: complete !== true && maxAge === undefined,
  });
}

/** Verifies by a service of which nothing is known but that it verifies. */
class OwnClassVerifier implements TokenVerifier {
  constructor(private readonly service: OwnJwtService) {}

  async verify(token: string, now: number): Promise<unknown> {
    const claims = await this.service.verifyAsync(token, { clockTimestamp: now });
    if (isSignedWithEmptyKey(token)) throw new UnauthorizedException();
    return claims;
  }
}

function find(moduleRef: ModuleRef, type: JwtServiceType): OwnJwtService {
  try {
    return moduleRef.get<OwnJwtService>(type, { strict: false });
  } catch (cause) {
    throw new PxlWebSocketSetupError(
      'The option auth.jwt is true, but there is no JwtService: import JwtModule, or give auth.jwt a key.',
      { cause },
    );
  }
}

/**
 * Has the service verify a token that is signed with an empty key. A service that finds its keys by itself (a provider, the
 * application's own class) is not checked, since it may have no key for this token.
 */
async function checkKey(service: OwnJwtService): Promise<void> {
  const reason = await failureOf(service);
  if (reason !== null && BEFORE_CLAIMS.includes(reason)) return;
  const problem = reason === 'no_key' ? 'no key to verify with' : 'an empty key, with which everybody can sign';
  throw new PxlWebSocketSetupError(
    `The option auth.jwt is true, but the JwtService has ${problem}: give JwtModule a secret, a publicKey or a ` +
      'secretOrKeyProvider (a privateKey only signs, and a secret given with each call is not known here), or give ' +
      'auth.jwt a key.',
  );
}

/** Null: the service accepts the token. */
async function failureOf(service: OwnJwtService): Promise<RefusalReason | null> {
  try {
    await service.verifyAsync(tokenOfEmptyKey(), {});
    return null;
  } catch (error) {
    return reasonOfJwtFailure(error);
  }
}

/** The options of the JwtModule, which JwtService keeps under this name. */
function optionsOf(service: object): OwnOptions | undefined {
  return (service as { options?: OwnOptions }).options;
}
