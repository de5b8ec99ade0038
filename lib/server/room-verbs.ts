import type { RoomManager } from '../rooms/room-manager.js';

/** What {@link ServerVerbs} do with rooms: with all of their members, or those of one worker. */
export type RoomVerbs = Pick<
  RoomManager,
  | 'addClientToRoom'
  | 'cleanup'
  | 'getRoomClients'
  | 'isClientInRoom'
  | 'printRooms'
  | 'removeClientFromAllRooms'
  | 'removeClientFromRoom'
  | 'rooms'
>;
