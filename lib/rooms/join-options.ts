import type { WsNamespaced } from '../ws-client/room-key.js';
import type { WsRoomUser } from '../ws-client/client-entry.js';
import type { JoinClaim } from './join-claims.js';

/** What {@link RoomManager.addClientToRoom} takes. */
export interface AddClientToRoomOptions extends WsNamespaced {
  clientId: string;
  user?: WsRoomUser | null;
  roomName: string;
  /** False: the client list, where it is enabled, is not pushed for it. Default: true. */
  broadcast?: boolean;
}

/** How {@link Memberships.join} is done. */
export interface JoinSettings {
  /** What the member is called in this room: a label for the other members, never an identity. */
  readonly username?: string | undefined;
  /** False: the client list is not pushed for it. Default: true. */
  readonly broadcast?: boolean | undefined;
  /** True: the client itself asks, so `rooms.authorize` decides. Default: false. */
  readonly isRequest?: boolean | undefined;
  /** The caller that can take the join back, see {@link Memberships.withdraw}. */
  readonly claim?: JoinClaim | undefined;
  /** True: a join that is done at once stays; only one that waits can be taken back by its claim. Default: false. */
  readonly isFinalAtOnce?: boolean | undefined;
}
