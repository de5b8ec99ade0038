/** The token of the {@link WsRoomInterest} that the library works with. */
export const ROOM_INTEREST = Symbol('PXL_WS_ROOM_INTEREST');

/**
 * Makes what is sent to a room reach this worker while the worker has a member there: the room is live then. Calls are
 * counted: each `acquireRoom` that succeeds is undone by one `releaseRoom`.
 */
export interface WsRoomInterest {
  /**
   * @param hasMembers whether the worker has members in the room. While the bus is down, one more is no worse off than they
   * are, so an implementation may let it in
   * @returns undefined when the room is live already; else a promise that resolves once it is live and rejects when it cannot
   * be
   */
  acquireRoom(roomName: string, hasMembers?: boolean): Promise<void> | undefined;
  releaseRoom(roomName: string): void;
}
