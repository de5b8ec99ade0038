import type { ClientSession } from '../clients/session/client-session.js';
import type { WsPresenceRules } from '../options/rooms/presence.options.js';
import type { ReturnNotice } from '../protocol/messages.js';
import type { WsMember } from '../protocol/presence.js';
import type { AbsentClient, SharedPresence, SharedReturn } from './presence-entry.js';

/** The token of the {@link RoomPresence} of this worker. */
export const ROOM_PRESENCE = Symbol('PXL_WS_ROOM_PRESENCE');

/** A member with the ids of its present connections, which only the server sees. */
export interface PresentMember extends WsMember {
  readonly clients: number;
  readonly clientIds: readonly string[];
}

/** Which members are asked for. They are in the order of their ids: `clientId`, or `userId` where there is none. */
export interface MembersQuery {
  readonly limit?: number | undefined;
  /** The id of a member: those behind it. */
  readonly after?: string | undefined;
}

/** Hears of changes. The calls must not throw. */
export interface PresenceListener {
  /** Something about who is in the room has changed, by this worker or by another one. */
  changed?(roomName: string): void;
  /** The description or the state of a client of this worker has changed. */
  described?(client: ClientSession, roomName: string, what: 'description' | 'state'): void;
  /**
   * A client of this worker counts for a member from now on.
   *
   * @param key of the member, the same on all workers: see {@link RoomPresence.memberOf}
   */
  began?(roomName: string, key: string): void;
  /**
   * It counts no more: it has left, its grace is over, or another client has taken its place. The member is still known.
   *
   * @param until where its connection was lost: when its grace is over, or would have been
   * @param isTaken whether another client has taken its place, on this worker or another one
   */
  ended?(roomName: string, key: string, until: number | undefined, isTaken: boolean): void;
  /** The grace of a client that was this worker's is over in all rooms, or another client has taken its place. */
  forgotten?(clientId: string): void;
  /** A client of this worker has taken the place of another one that looks alive: its connection is of no use any more. */
  replaced?(clientId: string): void;
}

/** What a client is told in its welcome. */
export type Greeting = ReturnNotice;

/** Who is in the rooms with presence, on all workers, as far as this one knows. */
export interface RoomPresence {
  /** Whether any room may have presence. */
  readonly isOn: boolean;
  /** How a room shows who is in it; null: it does not. */
  rulesOf(roomName: string): WsPresenceRules | null;

  /**
   * Readies a client of this worker that is about to be registered, and welcomed.
   *
   * @param secret what it presents of its former connection; '' for what cannot be a secret
   */
  greet(client: ClientSession, secret: string | undefined): Greeting;
  /** What the record of a client of this worker says about returning. */
  returnOf(client: ClientSession): SharedReturn;
  /** What other workers have to know of a client of this worker; undefined in a room without presence. */
  sharedOf(client: ClientSession, roomName: string): SharedPresence | undefined;
  /** Until when a client that is gone stays in a room, in ms since 1970; undefined: it does not. */
  untilOf(clientId: string, roomName: string): number | undefined;
  /** A client that was this worker's, in the rooms where it stays; undefined: in none. Until the turn's end after its end. */
  absentOf(clientId: string): AbsentClient | undefined;

  /** Another worker's client has connected. */
  connected(clientId: string, userId: string | undefined, shared: SharedReturn): void;
  /** A membership of another worker's client has begun, or was described anew. */
  entered(clientId: string, roomName: string, username: string | undefined, shared: SharedPresence): void;
  /** It has ended. @param until ms since 1970: the member stays until then; undefined: it is gone at once */
  exited(clientId: string, roomName: string, until: number | undefined): void;
  /** Another worker's client has become a user's, or has other claims. */
  identified(clientId: string, userId: string): void;
  /** Another worker's client is gone; its memberships have ended before. */
  disconnected(clientId: string): void;
  /** A client whose connection was lost before this worker started. */
  absent(client: AbsentClient): void;

  /** @throws WsError NOT_FOUND for a room without presence */
  members(roomName: string, query?: MembersQuery): { members: PresentMember[]; more: boolean };
  /** @throws WsError NOT_FOUND for a room without presence */
  count(roomName: string): number;
  /**
   * A member; undefined when it is not known.
   *
   * @param key `u` and the user's id, or `c` and the `clientId` of a member that is a single client
   */
  memberOf(roomName: string, key: string): PresentMember | undefined;
  /** The id by which the members of a room know a client: its own, except after it has resumed. */
  memberIdOf(client: ClientSession, roomName: string): string;
  /** The state of a client of this worker. */
  stateOf(client: ClientSession, roomName: string): unknown;
  /**
   * Sets the state of a client of this worker; undefined and null: none.
   *
   * @throws WsError NOT_FOUND for a room without presence, FORBIDDEN for a client that is not in it, BAD_MESSAGE for a value
   * without a JSON form or of more than 256 bytes; nothing has changed then
   */
  setState(client: ClientSession, roomName: string, state: unknown): void;
  /** Connects a listener. */
  listen(listener: PresenceListener): void;
}
