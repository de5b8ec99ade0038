import type { WsMember } from '../protocol/presence.js';
import type { Unsubscribe } from './listeners.js';

/** A member of a room. How many connections it has is told in lists that are asked for, and not here. */
export type RoomMember = Omit<WsMember, 'clients'>;

/** Who is in a room, as far as the client knows. */
export interface PresentMembers {
  /**
   * The members, the client's own one among them, in no order that counts. The same array until one of them changes, and the same
   * object for each member until it does.
   */
  readonly members: readonly RoomMember[];
  /** How many there are. */
  readonly count: number;
  /** True: the room has so many members that the server tells only their number; `members` is empty then. */
  readonly partial: boolean;
}

/** What has changed. A member is in one of the three lists at most. */
export interface PresenceChange extends PresentMembers {
  /** Who is there now and was not before: at first everybody. */
  readonly joined: readonly RoomMember[];
  /** Who was there before and is not now, as they were last: everybody, when the client itself has left the room. */
  readonly left: readonly RoomMember[];
  /** Who has another name, profile or state. */
  readonly updated: readonly RoomMember[];
}

/**
 * Who is in a room that has presence, while the client is there: `client.presence('tea')`. There is nobody before the client is in
 * the room and after it has left. Over a reconnect the members stay, until the server has told who is there now.
 */
export interface RoomPresence extends PresentMembers {
  /**
   * Calls a listener with every change, once: after a reconnect, with what differs from before.
   *
   * @returns a function that removes the listener
   */
  onChange(listener: (change: PresenceChange) => unknown): Unsubscribe;
}
