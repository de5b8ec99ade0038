import type { WelcomeHeartbeat, WelcomeLimits, WelcomeRooms } from '../protocol/welcome-terms.js';
import { isObject, textOf, type Fields } from './messages/frame-fields.js';

/**
 * What the server told the client when it accepted it. Fields that an older or another server does not tell are left out.
 */
export interface Welcome {
  /** The id that the server gave this connection; empty when it tells none, for example a server of PXL. */
  readonly clientId: string;
  /** The verified user; left out for an anonymous client. */
  readonly userId?: string | undefined;
  /** When the server pings; null: never. */
  readonly heartbeat?: WelcomeHeartbeat | null | undefined;
  readonly limits?: WelcomeLimits | undefined;
  readonly rooms: WelcomeRooms;
}

/** Reads the welcome of either envelope. */
export function readWelcome({ clientId, id, userId, heartbeat, limits, rooms }: Fields): Welcome {
  return {
    clientId: textOf(clientId) ?? textOf(id) ?? '',
    userId: textOf(userId),
    limits: isObject(limits) ? limits : undefined,
    heartbeat: heartbeat === null || isObject(heartbeat) ? heartbeat : undefined,
    rooms: isObject(rooms) ? rooms : {},
  };
}
