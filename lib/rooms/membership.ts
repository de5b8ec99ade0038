import type { ClientEnd } from '../clients/client-listener.interface.js';
import type { ClientSession } from '../clients/session/client-session.js';

/** What the application's rules show of a member to the other members. */
export type MemberProfile = Readonly<Record<string, unknown>>;

/** What the other members of a room see of one member. */
export interface MemberDetail {
  /** What the member is called in this room: a label, never an identity. */
  readonly username: string | undefined;
  readonly profile: MemberProfile | undefined;
}

/** What changes of it: undefined stays as it is. */
export interface DetailChange {
  readonly username?: string | undefined;
  /** Null: none any more. */
  readonly profile?: MemberProfile | null | undefined;
}

/** A client of this worker in one of its rooms. */
export interface Membership extends MemberDetail {
  readonly client: ClientSession;
  readonly roomName: string;
}

/** The beginning or the end of a membership. */
export interface MembershipChange extends Membership {
  /** False: the client list is not pushed for this change. */
  readonly broadcast: boolean;
  /** True for a join that the client itself has asked for. */
  readonly isRequest: boolean;
  /** How the client's connection has ended, where the membership ends with it. */
  readonly end?: ClientEnd | undefined;
}

/** What {@link RoomRegistry} tells other parts of the module. */
export interface RoomListener {
  joined?(change: MembershipChange): void;
  left?(change: MembershipChange): void;
  /** The other members see a member otherwise from now on. */
  described?(membership: Membership): void;
  /** The room is now the own room of a client: clients that asked to join it have to leave it, on all workers. */
  reserved?(roomName: string): void;
}
