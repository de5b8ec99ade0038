import type { RoomManager } from '../../rooms/room-manager.js';

/** The part of {@link RoomManager} that a subscriber gets as `webSocketServer.roomManager`. */
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
