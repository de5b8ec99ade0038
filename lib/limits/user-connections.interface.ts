/** The token of the {@link UserConnections} that the module works with. */
export const PXL_WS_USER_CONNECTIONS = Symbol('PXL_WS_USER_CONNECTIONS');

/** Whether a connection of a user may stay, and which older ones go for it. */
export interface UserAdmission {
  readonly admitted: boolean;
  /** Client ids, the oldest first. */
  readonly replaced: readonly string[];
}

/** Counts the connections of each user: `limits.connectionsPerUser`. */
export interface UserConnections {
  /** Counts a connection in, where there is room or room is made; those replaced are counted out. */
  enter(userId: string, clientId: string): UserAdmission | Promise<UserAdmission>;
  /** Counts it out again; does nothing when it is not counted. */
  leave(userId: string, clientId: string): void;
}
