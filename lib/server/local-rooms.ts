import type { ClientManager } from '../clients/client-manager.js';
import type { AddClientToRoomOptions, RoomManager } from '../rooms/room-manager.js';
import { LocalRoomMap } from './local-room-map.js';
import type { RoomVerbs } from './room-verbs.js';

/** The rooms of this worker's clients. One of another worker is in none of them, and what is done with it does nothing. */
export class LocalRooms implements RoomVerbs {
  readonly rooms: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(
    private readonly manager: RoomManager,
    private readonly clients: ClientManager,
  ) {
    this.rooms = new LocalRoomMap(manager);
  }

  addClientToRoom(join: AddClientToRoomOptions): Promise<boolean> {
    return this.clients.local.has(join.clientId) ? this.manager.addClientToRoom(join) : Promise.resolve(false);
  }

  removeClientFromRoom(leave: { roomName: string; clientId: string; broadcast?: boolean }): void {
    if (this.clients.local.has(leave.clientId)) this.manager.removeClientFromRoom(leave);
  }

  removeClientFromAllRooms(leave: { clientId: string }): void {
    if (this.clients.local.has(leave.clientId)) this.manager.removeClientFromAllRooms(leave);
  }

  isClientInRoom({ clientId, roomName }: { clientId: string; roomName: string }): boolean {
    return this.clients.local.get(clientId)?.rooms.has(roomName) ?? false;
  }

  getRoomClients({ roomName }: { roomName: string }): string[] {
    return [...(this.rooms.get(roomName) ?? [])];
  }

  printRooms(): void {
    this.manager.print(this.rooms);
  }

  cleanup(): void {
    this.manager.cleanup();
  }
}
