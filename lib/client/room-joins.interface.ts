import type { WsMemberList, WsRoomLeftReason } from '../protocol/presence.js';
import type { WsLossReason, WsPosition } from '../protocol/room-position.js';
import type { RequestOptions } from './options/client-options.interface.js';
import type { RoomRecovery } from './room-recovery.interface.js';

/** How a client joins a room. */
export interface JoinOptions extends RequestOptions {
  /** The label that other members see, if the server shows labels. Default: none. */
  username?: string | undefined;
  /**
   * How many of the room's latest messages a newcomer wants, where the room has history. A client that knows where it stands
   * gets what is behind its position instead. Default: 0.
   */
  history?: number | undefined;
  /**
   * Where to begin in a room with history in which the client is not yet: a position that the server gave together with a state
   * of the room. Default: what `positions` holds, else the end.
   */
  since?: WsPosition | undefined;
  /** What the other members see of the client, as by `client.setPresence()`. Default: what it was before. */
  state?: unknown;
}

/** How a client leaves a room. */
export interface LeaveOptions extends RequestOptions {
  /** Whether all joins end at once. Default: false, the client leaves the room when the last join ends. */
  all?: boolean | undefined;
}

/** What the server tells about a room that the client has joined. */
export interface JoinedRoom extends Partial<WsMemberList> {
  readonly roomName: string;
  readonly userId?: string | undefined;
  readonly userType?: string | undefined;
  readonly username?: string | undefined;
  /** ISO 8601. */
  readonly joinedAt?: string | undefined;
  /** Where the client stands in a room with history. */
  readonly position?: WsPosition | undefined;
  /** Whether everything behind the client's former position follows; undefined where it had none. */
  readonly recovered?: boolean | undefined;
  /** Why not. */
  readonly reason?: WsLossReason | undefined;
  /** How many kept messages follow. */
  readonly replayed?: number | undefined;
}

/** One join of a room. */
export interface Hold {
  /** Called when the server does not let the client in again. */
  readonly onRefused?: ((error: unknown) => void) | undefined;
  /** Called when the client learns what it has missed. */
  readonly onRecovered?: ((recovery: RoomRecovery) => unknown) | undefined;
  /** Called when the server takes the client out of the room. */
  readonly onLeft?: ((reason: WsRoomLeftReason) => unknown) | undefined;
  /** Whether the server has let the client in. */
  isJoined?: boolean;
}
