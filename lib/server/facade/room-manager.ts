import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import type { AddClientToRoomOptions } from '../../rooms/join-options.js';
import { Memberships } from '../../rooms/memberships.js';
import { checkRoomName, longestRoomName } from '../../rooms/room-name.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { RemoteClients } from '../coordination/remote-clients.js';

/** Which client of any worker is in which room. A room exists while it has members; its name is any text. */
@Injectable()
export class RoomManager {
  readonly #logger = new ModuleLogger();

  constructor(
    private readonly registry: RoomRegistry,
    private readonly memberships: Memberships,
    private readonly clients: ClientRegistry,
    private readonly remote: RemoteClients,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Every room that has members, with their client ids. */
  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.registry.rooms;
  }

  /**
   * Puts a client into a room.
   *
   * @returns true once the client receives what is sent to the room; false when it is gone, when it left while it joined,
   * and when the bus is down
   * @throws WsError for wrong arguments: INVALID_ROOM, ROOM_LIMIT, CONFLICT for an identity that contradicts the client's own,
   * BAD_MESSAGE for a user type without a user
   */
  addClientToRoom(join: AddClientToRoomOptions): Promise<boolean> {
    return this.errors.watch('RoomManager.addClientToRoom', () => this.#addClientToRoom(join));
  }

  /**
   * Takes a client out of a room, or out of joining it; does nothing when it is not there.
   *
   * @param broadcast false: the client list, where it is enabled, is not pushed for it. Default: true
   */
  removeClientFromRoom(leave: { roomName: string; clientId: string; broadcast?: boolean }): void {
    const { roomName, clientId, broadcast } = leave;
    const client = this.clients.get(clientId);
    if (client) this.memberships.remove(client, roomName, 'removed', broadcast);
    else this.remote.leave(clientId, [roomName], broadcast);
  }

  /** Takes a client out of every room. */
  removeClientFromAllRooms({ clientId }: { clientId: string }): void {
    const client = this.clients.get(clientId);
    if (client) this.memberships.removeFromAll(client);
    else this.remote.leave(clientId, 'all');
  }

  isClientInRoom({ clientId, roomName }: { clientId: string; roomName: string }): boolean {
    return this.registry.membersOf(roomName)?.has(clientId) ?? false;
  }

  /** The ids of a room's members; empty when there is no such room. */
  getRoomClients({ roomName }: { roomName: string }): string[] {
    return [...(this.registry.membersOf(roomName) ?? [])];
  }

  /** Logs every room with its members. */
  printRooms(): void {
    // A name is any text: as JSON it cannot forge lines of the log.
    const lines = [...this.rooms].map(
      ([name, members]) => `  ${JSON.stringify(name)} (${members.size}): ${[...members].join(', ')}`,
    );
    this.#logger.log([`Rooms: ${this.rooms.size}`, ...lines].join('\n'));
  }

  /** Takes every client of this worker out of every room, and out of joining one. */
  cleanup(): void {
    for (const client of this.clients.values()) this.memberships.removeFromAll(client);
  }

  #addClientToRoom(join: AddClientToRoomOptions): Promise<boolean> {
    const client = this.clients.get(join.clientId);
    if (client) return this.memberships.admit(client, join);
    // The endpoint of another worker's client may allow shorter names only; that worker checks it.
    checkRoomName(join.roomName, longestRoomName(this.options));
    return this.remote.join(join);
  }
}
