import type { ClientManager } from '../../clients/client-manager.js';
import type { AddClientToRoomOptions, RoomManager } from '../../rooms/room-manager.js';
import type { RoomVerbs } from './room-verbs.js';

/** The rooms for what runs on every worker: it sees all members, and puts in and takes out this worker's clients only. */
export class EveryWorkerRooms implements RoomVerbs {
  constructor(
    private readonly manager: RoomManager,
    private readonly clients: ClientManager,
  ) {}

  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.manager.rooms;
  }

  getRoomClients(query: { roomName: string }): string[] {
    return this.manager.getRoomClients(query);
  }

  isClientInRoom(query: { clientId: string; roomName: string }): boolean {
    return this.manager.isClientInRoom(query);
  }

  printRooms(): void {
    this.manager.printRooms();
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

  cleanup(): void {
    this.manager.cleanup();
  }
}
