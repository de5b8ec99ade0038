import type { Welcome } from '../../protocol/messages.js';
import type { ClientSession } from './client-session.js';

/** @param time the server's, in ms since 1970 */
export function welcomeOf({ clientId, user, endpoint }: ClientSession, time: number): Welcome {
  return { clientId, terms: endpoint.welcomeTerms, userId: user?.userId, time };
}
