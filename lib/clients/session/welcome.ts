import type { Welcome } from '../../protocol/messages.js';
import type { WsClient } from '../ws-client.js';

/** @param time the server's, in ms since 1970 */
export function welcomeOf({ clientId, user, welcomeTerms }: WsClient, time: number): Welcome {
  return { clientId, terms: welcomeTerms, userId: user?.userId, time };
}
