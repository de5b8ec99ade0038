import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import type { AddClientToRoomOptions } from '../../rooms/join-options.js';
import { Memberships } from '../../rooms/memberships.js';
import { longestRoomName } from '../../rooms/room-name.js';
import { RoomNames } from '../../rooms/room-names.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import type { WsNamespaced, WsRoomName } from '../../ws-client/room-key.js';
import { RemoteClients } from '../coordination/remote-clients.js';
import { MembersByRoom } from './members-by-room.js';

/**
 * Which client of any worker is in which room. A room exists while it has members; its name is any text. With
 * `rooms.namespace` the rooms are told by their keys, which `readRoomKey` takes apart, and a name without a namespace is literal.
 */
@Injectable()
export class RoomManager {
  readonly #logger = new ModuleLogger();
  readonly #names: RoomNames;

  constructor(
    private readonly registry: RoomRegistry,
    private readonly memberships: Memberships,
    private readonly clients: ClientRegistry,
    private readonly remote: RemoteClients,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
    this.rooms = new MembersByRoom(registry.rooms);
  }

  /** Every room that has members, with their client ids. A set that was read stays in memory as long as its room does. */
  readonly rooms: ReadonlyMap<string, ReadonlySet<string>>;

  /**
   * Puts a client into a room.
   *
   * @returns true once the client receives what is sent to the room; false when it is gone, when it left while it joined,
   * and when the bus is down
   * @throws WsError for wrong arguments: INVALID_ROOM, ROOM_LIMIT, CONFLICT for an identity that contradicts the client's own,
   * and for a second room that the client calls the same (`rooms.namespace`), BAD_MESSAGE for a user type without a user
   */
  addClientToRoom(join: AddClientToRoomOptions): Promise<boolean> {
    return this.errors.watch('RoomManager.addClientToRoom', () => this.#addClientToRoom(join));
  }

  /**
   * Takes a client out of a room, or out of joining it; does nothing when it is not there.
   *
   * @param broadcast false: the client list, where it is enabled, is not pushed for it. Default: true
   */
  removeClientFromRoom(leave: WsNamespaced & { roomName: string; clientId: string; broadcast?: boolean }): void {
    const { clientId, broadcast } = leave;
    const roomName = this.#keyOf(leave);
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

  isClientInRoom({ clientId, ...room }: WsNamespaced & { clientId: string; roomName: string }): boolean {
    return this.registry.isMember(clientId, this.#keyOf(room));
  }

  /** The ids of a room's members; empty when there is no such room. */
  getRoomClients(room: WsNamespaced & { roomName: string }): string[] {
    return [...(this.registry.membersOf(this.#keyOf(room)) ?? [])];
  }

  /** Logs every room with its members. */
  printRooms(): void {
    // A name is any text: as JSON it cannot forge lines of the log.
    const lines = Array.from(
      this.registry.rooms,
      ([key, { size, ids }]) => `  ${this.#tell(key)} (${size}): ${[...ids].join(', ')}`,
    );
    this.#logger.log([`Rooms: ${this.rooms.size}`, ...lines].join('\n'));
  }

  /** Takes every client of this worker out of every room, and out of joining one. */
  cleanup(): void {
    for (const client of this.clients.values()) this.memberships.removeFromAll(client);
  }

  #addClientToRoom({ namespace, ...given }: AddClientToRoomOptions): Promise<boolean> {
    const join = { ...given, roomName: this.#keyOf({ roomName: given.roomName, namespace }) };
    const client = this.clients.get(join.clientId);
    if (client) return this.memberships.admit(client, join);
    // The endpoint of another worker's client may allow shorter names only; that worker checks it.
    this.#names.check(join.roomName, longestRoomName(this.options));
    return this.remote.join(join);
  }

  #keyOf({ roomName, namespace }: WsRoomName): string {
    return this.#names.keyOf('roomName', roomName, namespace);
  }

  #tell(key: string): string {
    const { roomName, namespace } = this.#names.read(key);
    return namespace === undefined
      ? JSON.stringify(key)
      : `${JSON.stringify(roomName)} of ${JSON.stringify(namespace)}`;
  }
}
