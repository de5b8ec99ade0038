import { WsError } from '../errors/ws.error.js';
import type { WsUser } from '../interfaces/client-entry.interface.js';

/** Who an application says a client is. */
export interface GivenUser {
  /** A number means its decimal string. */
  userId: string | number;
  userType?: string | undefined;
  payload?: Record<string, unknown> | undefined;
}

/** Whether it names a user: a number, or a text that is not empty. */
export function isUserId(userId: unknown): userId is string | number {
  return typeof userId === 'string' ? userId !== '' : Number.isFinite(userId);
}

/** @throws WsError BAD_MESSAGE when there is no user id: a number, or a text that is not empty */
export function toUser({ userId, userType, payload = {} }: Partial<GivenUser>): WsUser {
  if (!isUserId(userId)) {
    throw new WsError('BAD_MESSAGE', 'A user id is a number or a text that is not empty.');
  }
  return { userId: String(userId), userType, payload };
}
