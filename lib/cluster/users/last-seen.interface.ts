/** The token of the {@link LastSeen}; null without the option `cluster.lastSeen`. */
export const LAST_SEEN = Symbol('PXL_WS_LAST_SEEN');

/** When the last session of each user has ended. */
export interface LastSeen {
  /** The last session that the user had on this worker has ended. */
  ended(userId: string): void;
  /**
   * When the user's last session has ended, in ms since 1970; null when it is not known, or not any more.
   *
   * @throws WsError UNAVAILABLE, retryable, when Redis cannot be reached
   */
  of(userId: string): Promise<number | null>;
}
