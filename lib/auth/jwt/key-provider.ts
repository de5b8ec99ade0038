import { UnauthorizedException } from '@nestjs/common';
import { thrownRefusal } from '../thrown-refusal.js';

/** A key provider of the application failed: no fault of the token. */
export class KeyProviderError extends Error {}

/**
 * Asks a key provider of the application.
 *
 * @param ask calls it
 * @returns an empty key, which verifies nothing, where it knows none
 * @throws UnauthorizedException when it refuses the token; KeyProviderError for anything else that it throws
 */
export async function askForKey(ask: () => unknown): Promise<string | Buffer> {
  try {
    return ((await ask()) as string | Buffer | null | undefined) ?? '';
  } catch (cause) {
    if (thrownRefusal(cause)) throw new UnauthorizedException();
    throw new KeyProviderError('The key provider of auth.jwt failed.', { cause });
  }
}
