/** The token of the {@link UserConnections} that the module works with. */
export const PXL_WS_USER_CONNECTIONS = Symbol('PXL_WS_USER_CONNECTIONS');

/** Whether a connection of a user is allowed, and which older ones it replaces. */
export interface UserAdmission {
  readonly admitted: boolean;
  /** Client ids, the oldest first. */
  readonly replaced: readonly string[];
}

/** Counts the connections of each user: `limits.connectionsPerUser`. */
export interface UserConnections {
  /** Counts a connection if it is within the limit or replaces older ones, which are no longer counted then. */
  enter(userId: string, clientId: string): UserAdmission | Promise<UserAdmission>;
  /** Ends the counting of a connection; does nothing when it is not counted. */
  leave(userId: string, clientId: string): void;
}
