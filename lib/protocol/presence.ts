/** The most bytes of a member's own state, as JSON in UTF-8. */
export const MOST_STATE_BYTES = 256;

/** A member of a room with presence, as the other members see it: PROTOCOL.md "Presence". */
export interface WsMember {
  /** Undefined for an anonymous client. */
  readonly userId?: string | undefined;
  /**
   * Of a member that is a single client: the id of its connection, or of the first one, when it has lost its connection and resumed.
   */
  readonly clientId?: string | undefined;
  /** How many connections the member has: 0 while its only one is lost and its grace runs. In lists only. */
  readonly clients?: number | undefined;
  /** What it calls itself in the room: a label, not an identity. */
  readonly username?: string | undefined;
  /** What the application's rules show of it. */
  readonly profile?: Readonly<Record<string, unknown>> | undefined;
  /** What it has set itself. */
  readonly state?: unknown;
  /** ISO 8601. */
  readonly joinedAt: string;
}

/** A list of members, at a join or to `system.members`. */
export interface WsMemberList {
  readonly members: readonly WsMember[];
  /** How many members the room has. */
  readonly count: number;
  /** True: the list has not all of them. */
  readonly partial?: boolean | undefined;
}

/** The data of the push `room.presence`. */
export interface WsPresencePush {
  readonly roomName: string;
  readonly joined?: readonly WsMember[] | undefined;
  readonly left?: readonly WsMember[] | undefined;
  readonly updated?: readonly WsMember[] | undefined;
  /** The whole list, instead of differences: the room has become small again. */
  readonly members?: readonly WsMember[] | undefined;
  readonly count: number;
  /** True: the room has too many members for differences. */
  readonly partial?: boolean | undefined;
}

/**
 * Why the server has taken a client out of a room: the application has (`removed`), the room's rules (`rule`), or another room that
 * has taken its place, where a client can be in one at a time (`replaced`).
 */
export type WsRoomLeftReason = 'removed' | 'rule' | 'replaced';
