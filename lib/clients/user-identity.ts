import { isRecord } from '../errors/kind-of.js';
import { WsError } from '../errors/ws.error.js';
import type { WsGivenUser, WsUser } from '../ws-client/client-entry.js';

/** Whether it names a user: a number, or a text that is not empty. */
export function isUserId(userId: unknown): userId is string | number {
  return typeof userId === 'string' ? userId !== '' : Number.isFinite(userId);
}

/**
 * @throws WsError BAD_MESSAGE when there is no user id (a number, or a text that is not empty), or the rest is not what it
 * has to be
 */
export function toUser({ userId, userType, payload }: Partial<WsGivenUser>): WsUser {
  if (!isUserId(userId)) throw new WsError('BAD_MESSAGE', 'A user id is a number or a text that is not empty.');
  const [type, claims]: unknown[] = [userType ?? undefined, payload ?? {}];
  if (type !== undefined && typeof type !== 'string') throw new WsError('BAD_MESSAGE', 'A user type is a text.');
  if (!isRecord(claims)) throw new WsError('BAD_MESSAGE', 'The payload of a user is an object.');
  return { userId: String(userId), userType: type, payload: claims };
}

/**
 * Lets another word about a known user pass; one that says less is no contradiction.
 *
 * @throws WsError CONFLICT for another id, or another type
 */
export function checkSame(known: WsUser, said: WsUser): void {
  const [knownType, saidType] = [known.userType ?? said.userType, said.userType ?? known.userType];
  if (known.userId !== said.userId || knownType !== saidType) {
    throw new WsError('CONFLICT', 'The client is somebody else.');
  }
}
