import type { MemberProfile } from '../rooms/membership.js';

/** What workers tell each other of one client in one room with presence, beside its username. */
export interface SharedPresence {
  /** When the member came, in ms since 1970: that of its first connection, where the client has resumed. */
  readonly joinedAt: number;
  /** The id by which members know the client, where it is not its own: that of the first connection, where it has resumed. */
  readonly memberId?: string | undefined;
  /** The id of the client whose place it has taken: that one counts no more in this room. */
  readonly took?: string | undefined;
  readonly profile?: MemberProfile | undefined;
  /** When username or profile were set last, in ms. Default: `joinedAt`. */
  readonly describedAt?: number | undefined;
  /** What the client has set itself; undefined and null: nothing. */
  readonly state?: unknown;
  /** When, in ms. */
  readonly stateAt?: number | undefined;
}

/** One client in one room with presence: of this worker or of another one. */
export interface PresenceEntry {
  readonly clientId: string;
  readonly userId: string | undefined;
  readonly username: string | undefined;
  readonly shared: SharedPresence;
  /** Until when the member stays whose connection was lost, in ms since 1970; undefined: it is connected. */
  readonly until?: number | undefined;
}

/** What workers tell each other of a client that may return, or has returned. */
export interface SharedReturn {
  /** What the client's secret is known by: its hash. */
  readonly resume?: string | undefined;
  /** The id of the client as which it was connected before: its secret is used up. */
  readonly resumed?: string | undefined;
}

/** A client whose connection was lost, in the rooms where it stays for its grace. It is kept in Redis for workers that start. */
export interface AbsentClient {
  readonly clientId: string;
  readonly userId: string | undefined;
  /** What its secret is known by, see `Resumes`. */
  readonly resume: string | undefined;
  readonly rooms: readonly AbsentMembership[];
}

export interface AbsentMembership {
  readonly roomName: string;
  readonly username: string | undefined;
  readonly shared: SharedPresence;
  readonly until: number;
}
