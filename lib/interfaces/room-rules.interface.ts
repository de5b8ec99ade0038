import type { Type } from '@nestjs/common';
import type { WsClient } from '../clients/ws-client.js';

/** A client that wants to join a room. */
export interface RoomRequest {
  readonly client: WsClient;
  readonly roomName: string;
}

/**
 * Whether it may; an object says yes, and is what the other members see as its `profile`. Nothing else does: a list, an
 * error that is returned and an Observable are refused, and the log says so.
 */
export type RoomVerdict = boolean | Readonly<Record<string, unknown>>;

/** Decides about one request of a client to join a room: about that room, nothing else. */
export type AuthorizeRoom = (request: RoomRequest) => RoomVerdict | Promise<RoomVerdict>;

/** The same as a class, with dependencies. */
export interface RoomAuthorizer {
  authorize(request: RoomRequest): RoomVerdict | Promise<RoomVerdict>;
}

/** A client that is about to enter a room. */
export interface RoomEntrant extends RoomRequest {
  /** Null for an anonymous client. */
  readonly userId: string | null;
}

type Profile = Readonly<Record<string, unknown>>;

/** What the other members see of one as its `profile`. */
export type ProfileOfMember = (entrant: RoomEntrant) => Profile | Promise<Profile>;

/** The same as a class, with dependencies. */
export interface MemberProfiler {
  profile(entrant: RoomEntrant): Profile | Promise<Profile>;
}

/** The two rules as an option takes them: a function, or a class that Nest provides or can make. */
export type RoomAuthorizeOption = AuthorizeRoom | Type<RoomAuthorizer>;
export type RoomProfileOption = ProfileOfMember | Type<MemberProfiler>;
