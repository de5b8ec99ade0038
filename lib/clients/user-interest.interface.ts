/** The token of the {@link WsUserInterest} that the library works with. */
export const USER_INTEREST = Symbol('PXL_WS_USER_INTEREST');

/**
 * Makes what is sent to a user reach this worker while the user has a session here. Calls are counted: each `acquireUser`
 * is undone by one `releaseUser`.
 */
export interface WsUserInterest {
  /**
   * Undefined when the user is live already; else a promise that resolves once it is, or after a while when it cannot
   * be: it becomes live as soon as the bus lets it.
   */
  acquireUser(userId: string): Promise<void> | undefined;
  releaseUser(userId: string): void;
}
