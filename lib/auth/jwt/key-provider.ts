import { UnauthorizedException } from '@nestjs/common';
import { thrownRefusal } from '../thrown-refusal.js';

/** A key provider of the application has failed; the token is not at fault. */
export class KeyProviderError extends Error {}

/**
 * Asks a key provider of the application.
 *
 * @param ask calls the provider
 * @returns the key; an empty one, which verifies nothing, when the provider knows none
 * @throws UnauthorizedException when the provider refuses the token; KeyProviderError when it throws anything else
 */
export async function askForKey(ask: () => unknown): Promise<string | Buffer> {
  try {
    return ((await ask()) as string | Buffer | null | undefined) ?? '';
  } catch (cause) {
    if (thrownRefusal(cause)) throw new UnauthorizedException();
    throw new KeyProviderError('The key provider of auth.jwt failed.', { cause });
  }
}
