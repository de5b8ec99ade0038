/** The token of the {@link WsRoomInterest} that the room manager works with. */
export const ROOM_INTEREST = Symbol('PXL_WS_ROOM_INTEREST');

/**
 * Makes what is sent to a room reach this worker while the worker has a member there. Calls are counted: each
 * `acquireRoom` that succeeds is undone by one `releaseRoom`.
 */
export interface WsRoomInterest {
  /**
   * Undefined when the room is live already; else a promise that resolves once it is and rejects when it cannot be.
   *
   * @param hasMembers whether the worker has members there: while the bus is away, one more is no worse off than they are
   */
  acquireRoom(roomName: string, hasMembers?: boolean): Promise<void> | undefined;
  releaseRoom(roomName: string): void;
}
