/** The token of the {@link UserPresence} that the library works with. */
export const PXL_WS_USER_PRESENCE = Symbol('PXL_WS_USER_PRESENCE');

/** Tells the cluster of users: `userConnected` with a user's first session, `userDisconnected` with the end of its last. */
export interface UserPresence {
  /** A session of the user has begun on this worker; the registry knows it already. */
  opened(userId: string): void;
  /** A session of the user has ended; the registry has forgotten it already. */
  closed(userId: string): void;
}
