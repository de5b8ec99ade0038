import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import type { AddClientToRoomOptions } from '../../rooms/join-options.js';
import { RoomManager } from './room-manager.js';

/** What {@link RoomManager} does; a subscriber gets it as `webSocketServer.roomManager`. */
export type RoomVerbs = Pick<RoomManager, keyof RoomManager>;

/** The rooms for a subscriber that runs on every worker: it sees all members, and its verbs move this worker's clients only. */
@Injectable()
export class EveryWorkerRooms implements RoomVerbs {
  constructor(
    private readonly manager: RoomManager,
    private readonly clients: ClientRegistry,
  ) {}

  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.manager.rooms;
  }

  getRoomClients(query: WsNamespaced & { roomName: string }): string[] {
    return this.manager.getRoomClients(query);
  }

  isClientInRoom(query: WsNamespaced & { clientId: string; roomName: string }): boolean {
    return this.manager.isClientInRoom(query);
  }

  printRooms(): void {
    this.manager.printRooms();
  }

  addClientToRoom(join: AddClientToRoomOptions): Promise<boolean> {
    return this.clients.has(join.clientId) ? this.manager.addClientToRoom(join) : Promise.resolve(false);
  }

  removeClientFromRoom(leave: WsNamespaced & { roomName: string; clientId: string; broadcast?: boolean }): void {
    if (this.clients.has(leave.clientId)) this.manager.removeClientFromRoom(leave);
  }

  removeClientFromAllRooms(leave: { clientId: string }): void {
    if (this.clients.has(leave.clientId)) this.manager.removeClientFromAllRooms(leave);
  }

  cleanup(): void {
    this.manager.cleanup();
  }
}
