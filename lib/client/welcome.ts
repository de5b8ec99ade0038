import type { WelcomeHeartbeat, WelcomeLimits, WelcomeRooms } from '../protocol/welcome-terms.js';
import { textOf, type Fields } from './messages/frame-fields.js';

/**
 * What the server told when it took the client in. Of a server that tells less, as an older one or another one than this
 * library's, what it does not tell is left out.
 */
export interface Welcome {
  /** The id that the server knows this connection by; empty where it tells none, as one of the PXL framework. */
  readonly clientId: string;
  /** Who the server has verified the client to be; left out for nobody in particular. */
  readonly userId?: string | undefined;
  /** The pings of the server; null: it sends none. */
  readonly heartbeat?: WelcomeHeartbeat | null | undefined;
  readonly limits?: WelcomeLimits | undefined;
  readonly rooms: WelcomeRooms;
}

/** Reads the welcome in the words of either envelope. */
export function readWelcome({ clientId, id, userId, heartbeat, limits, rooms }: Fields): Welcome {
  return {
    clientId: textOf(clientId) ?? textOf(id) ?? '',
    userId: textOf(userId),
    limits: isGroup(limits) ? limits : undefined,
    heartbeat: heartbeat === null || isGroup(heartbeat) ? heartbeat : undefined,
    rooms: isGroup(rooms) ? rooms : {},
  };
}

/** What the fields of a group hold is the server's word: where the client does by one of them, it looks at that first. */
function isGroup(value: unknown): value is WelcomeHeartbeat & WelcomeLimits & WelcomeRooms {
  return typeof value === 'object' && value !== null;
}
