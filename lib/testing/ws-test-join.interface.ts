import type { JoinedRoom } from '../client/room-joins.interface.js';
import type { ReplayRequest } from '../history/room-history.interface.js';

/** How a test joins a room: what the request may have beside the name. */
export interface WsTestJoinOptions extends ReplayRequest {
  readonly username?: string | undefined;
}

/** What the server answers to a join: what the client library tells of it. */
export type WsTestJoined = JoinedRoom;
