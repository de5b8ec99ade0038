/** The token of the {@link UserPresence} that the library works with. */
export const PXL_WS_USER_PRESENCE = Symbol('PXL_WS_USER_PRESENCE');

/** Publishes `userConnected` at a user's first session in the cluster, and `userDisconnected` at the end of the last one. */
export interface UserPresence {
  /** A session of the user has begun on this worker; called after the registry was told. */
  opened(userId: string): void;
  /** A session of the user has ended on this worker; called after the registry was told. */
  closed(userId: string): void;
}
