import type { ModuleRef } from '@nestjs/core';
import type { JwtModuleOptions } from '@nestjs/jwt';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import { tokenOfEmptyKey } from './empty-key.js';
import { reasonOfJwtFailure } from './jwt-failure.js';
import { askForKey } from './key-provider.js';
import type { RefusalReason } from '../refusal-reason.js';

/** The part of the JwtService of `@nestjs/jwt` that is used; the package is optional, so its types are not in ours. */
export interface TokenVerifier {
  verifyAsync(token: string, options: { clockTimestamp?: number }): Promise<unknown>;
}

/** The reasons with which a token fails before its claims are checked. */
const BEFORE_CLAIMS: readonly RefusalReason[] = ['malformed', 'algorithm', 'signature', 'invalid'];

/** The JwtService class of `@nestjs/jwt`, which is an optional peer. */
interface JwtServiceType {
  new (options: JwtModuleOptions): TokenVerifier;
  readonly prototype: TokenVerifier;
}

/**
 * Finds the application's own JwtService. If that has a provider of keys, the result is a service with the same options
 * that tells a failed provider from an invalid token, since the errors of the original do not differ.
 *
 * @throws PxlWebSocketSetupError when there is none, or it has no key to verify with
 */
export async function findOwnJwtService(moduleRef: ModuleRef, type: JwtServiceType): Promise<TokenVerifier> {
  const service = find(moduleRef, type);
  if (service.verifyAsync !== type.prototype.verifyAsync) return service; // the application's own class
  const options = optionsOf(service);
  if (options?.secretOrKeyProvider) {
    if (Object.getPrototypeOf(service) !== type.prototype) return service; // it may find its keys in another way
    return new type({
      ...options,
      secretOrKeyProvider: (...args) => askForKey(() => options.secretOrKeyProvider?.(...args)),
    });
  }
  await checkKey(service);
  return service;
}

function find(moduleRef: ModuleRef, type: JwtServiceType): TokenVerifier {
  try {
    return moduleRef.get<TokenVerifier>(type, { strict: false });
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
async function checkKey(service: TokenVerifier): Promise<void> {
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
async function failureOf(service: TokenVerifier): Promise<RefusalReason | null> {
  try {
    await service.verifyAsync(tokenOfEmptyKey(), {});
    return null;
  } catch (error) {
    return reasonOfJwtFailure(error);
  }
}

/** The options of the JwtModule, which JwtService keeps under this name. */
function optionsOf(service: object): JwtModuleOptions | undefined {
  return (service as { options?: JwtModuleOptions }).options;
}
