import type { PushMessage, WebSocketContract } from '../protocol/contract.js';
import type { WsLossReason, WsPosition } from '../protocol/room-position.js';

/** Where a client stands in a room with history: plain data, for the client that comes after a reload. */
export interface RoomPosition extends WsPosition {
  /** The `clientId` of that time: what that connection was left out of stays hidden. */
  readonly was?: string | undefined;
}

/** What a client that has been away from a room with history learns. */
export interface RoomRecovery {
  readonly roomName: string;
  /** True: every message that was missed follows, or none was. False: some cannot be had, so none of them comes. */
  readonly recovered: boolean;
  /** How many kept messages the server sends now. Those that the client has already are not handled again. */
  readonly replayed: number;
  /** Why the messages cannot be had. */
  readonly reason?: WsLossReason | undefined;
}

/** Which of the messages that a room has kept are read. */
export interface HistoryRange {
  /** Only messages behind this position; with `reverse` only those before it. Default: all. */
  since?: WsPosition | undefined;
  /** The most messages: 1 to 1 000. Default: 100. */
  limit?: number | undefined;
  /** True: the newest messages, newest first; else the oldest, oldest first. Default: false. */
  reverse?: boolean | undefined;
}

/** Messages that a room has kept. */
export interface HistoryPage<C extends WebSocketContract = WebSocketContract> {
  /** In the form of the server's envelope, `{ type, action, data }` or `{ event, data }`, with their numbers. */
  readonly messages: readonly (PushMessage<C> & { readonly offset: number })[];
  /** Where the room stood at that moment. */
  readonly position: WsPosition;
  /** Whether there are more: the next page is behind the last message, with `reverse` before it. */
  readonly more: boolean;
  /** Why not everything behind `since` can be had. */
  readonly reason?: WsLossReason | undefined;
}
