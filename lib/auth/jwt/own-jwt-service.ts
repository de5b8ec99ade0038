import type { ModuleRef } from '@nestjs/core';
import type { JwtModuleOptions } from '@nestjs/jwt';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import { tokenOfEmptyKey } from './empty-key.js';
import { reasonOfJwtFailure } from './jwt-failure.js';
import { askForKey } from './key-provider.js';
import type { RefusalReason } from '../refusal-reason.js';
import type { TokenVerifier } from './token-verifier.interface.js';

/** What of a token fails before its signature is looked at, or at that. */
const BEFORE_CLAIMS: readonly RefusalReason[] = ['malformed', 'algorithm', 'signature', 'invalid'];

/** The JwtService class of `@nestjs/jwt`, which is an optional peer. */
interface JwtServiceType {
  new (options: JwtModuleOptions): TokenVerifier;
  readonly prototype: TokenVerifier;
}

/**
 * The application's own JwtService. Where it has a provider of keys, one with the same options, which tells a provider that
 * failed from a token that is not valid: its errors are not told apart by their looks.
 *
 * @throws PxlWebSocketSetupError when there is none, or it has no key to verify with
 */
export async function findOwnJwtService(moduleRef: ModuleRef, type: JwtServiceType): Promise<TokenVerifier> {
  const service = find(moduleRef, type);
  if (service.verifyAsync !== type.prototype.verifyAsync) return service; // a class of the application's own
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
 * Has the service verify a token that is signed with no key at all. One that finds its keys by itself (a provider, a class
 * of the application's own) is not asked: it may not have one for this token.
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

/** Null: it takes the token. */
async function failureOf(service: TokenVerifier): Promise<RefusalReason | null> {
  try {
    await service.verifyAsync(tokenOfEmptyKey(), {});
    return null;
  } catch (error) {
    return reasonOfJwtFailure(error);
  }
}

/** JwtService keeps what its module was given under this name. */
function optionsOf(service: object): JwtModuleOptions | undefined {
  return (service as { options?: JwtModuleOptions }).options;
}
