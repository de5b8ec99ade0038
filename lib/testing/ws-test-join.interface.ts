import type { JoinedRoom } from '../client/room-joins.interface.js';
import type { ReplayRequest } from '../history/room-history.interface.js';

/** How a test joins a room: what the request may have beside the name. */
export interface WsTestJoinOptions extends ReplayRequest {
  readonly username?: string | undefined;
  /** In a room with presence: the answer has the list of its members, and `room.presence` follows. */
  readonly presence?: boolean | undefined;
  /** What the other members of a room with presence see of the client. */
  readonly state?: unknown;
}

/** What the server answers to a join: what the client library tells of it. */
export type WsTestJoined = JoinedRoom;
