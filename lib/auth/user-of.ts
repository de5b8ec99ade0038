import type { WsUser } from '../interfaces/client-entry.interface.js';
import type { WsIdentity } from './authenticator.interface.js';

/** The user of an identity; null for an anonymous one. */
export function userOf({ userId, userType, payload = {} }: WsIdentity): WsUser | null {
  return userId === undefined || userId === null ? null : { userId: String(userId), userType, payload };
}
