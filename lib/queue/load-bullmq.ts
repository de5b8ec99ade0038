import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';

/**
 * BullMQ, which is an optional package.
 *
 * @param user what needs it, as it stands in a sentence
 * @throws PxlWebSocketSetupError where it is not installed
 */
export async function loadBullMq(user: string): Promise<typeof import('bullmq')> {
  try {
    return await import('bullmq');
  } catch (cause) {
    throw new PxlWebSocketSetupError(`${user} needs the package bullmq.`, { cause });
  }
}
