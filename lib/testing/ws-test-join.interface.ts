import type { WsLossReason, WsPosition } from '../protocol/room-position.js';

/** How a test joins a room: what the request may have beside the name. */
export interface WsTestJoinOptions {
  readonly username?: string | undefined;
  /** Where the client stands in a room with history. */
  readonly since?: WsPosition | undefined;
  /** How many of the room's latest messages it wants. */
  readonly history?: number | undefined;
  /** Its id on the earlier connection. */
  readonly was?: string | undefined;
}

/** What the server answers to a join. */
export interface WsTestJoined {
  readonly roomName: string;
  readonly userId?: string | undefined;
  readonly userType?: string | undefined;
  readonly username?: string | undefined;
  readonly joinedAt?: string | undefined;
  /** Where the client stands in a room with history: what follows is behind it. */
  readonly position?: WsPosition | undefined;
  /** Whether everything behind `since` follows; undefined where the join had none. */
  readonly recovered?: boolean | undefined;
  readonly reason?: WsLossReason | undefined;
  /** How many kept messages follow. */
  readonly replayed?: number | undefined;
}
