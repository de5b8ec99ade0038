import type { AddClientToRoomOptions } from './room-manager.js';

/** Reaches the members of rooms on other workers: the cluster, which stands above the rooms. */
export interface RemoteMembers {
  /** As `RoomManager.addClientToRoom`, done by the worker that holds the client; false when there is none. */
  join(join: AddClientToRoomOptions): Promise<boolean>;
  /** As `RoomManager.vacate`, on the other workers. */
  vacate(roomName: string): void;
  leave(clientId: string, rooms: readonly string[] | 'all', broadcast?: boolean): void;
}
