import type { RoomPresence } from './room-presence.interface.js';
import type { JoinedRoom, Hold } from './room-joins.interface.js';
import type { RoomPosition } from './room-recovery.interface.js';
import type { Welcome } from './welcome.js';

/** A room: who of the application wants to be there, and where the client stands if it has history. */
export interface Membership {
  readonly roomName: string;
  username?: string | undefined;
  /** Who is there, if the application has asked. */
  members?: RoomPresence | undefined;
  /** The connection on which the server was asked for them; null: it has to be asked; undefined: it does not. */
  asked?: Welcome | null | undefined;
  /** What the client has set itself, where the room has presence; undefined: nothing. */
  state?: unknown;
  /** The joins that have not ended. Those of handles are last, so that `leave()` without a handle ends another one first. */
  holds: Hold[];
  /** The welcome of the last connection on which the client was, or may have been, in the room. */
  on?: Welcome | null | undefined;
  /** The join request that is under way; other joins share its answer. */
  joining?: Promise<JoinedRoom> | undefined;
  /** Where the client stands; undefined in a room without history. */
  position?: RoomPosition | undefined;
  /** The connection on which the server has confirmed the position. What comes on another one before is replayed later. */
  welcome?: Welcome | null | undefined;
  /** For each message that is being handled, the position before it. */
  readonly queue: Set<RoomPosition>;
}
