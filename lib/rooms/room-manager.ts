import { Inject, Injectable, Logger } from '@nestjs/common';
import { ClientManager } from '../clients/client-manager.js';
import type { WsClient } from '../clients/ws-client.js';
import { WsError } from '../errors/ws.error.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Room } from './room.js';
import { ROOM_INTEREST, type RoomInterest } from './room-interest.interface.js';
import { checkRoomName } from './room-name.js';

/** What a member is called in one room: a label for the other members, never an identity. */
export interface MemberLabel {
  readonly username?: string;
}

/** What other parts of the module hear of memberships. */
export interface RoomListener {
  joined(client: WsClient, roomName: string, label: MemberLabel): void;
  left(client: WsClient, roomName: string, label: MemberLabel): void;
}

const NO_LABEL: MemberLabel = {};

interface PendingJoin {
  readonly done: Promise<boolean>;
  cancelled: boolean;
}

/** Which client is in which room. A room exists while it has members; its name is any text. */
@Injectable()
export class RoomManager {
  readonly #rooms = new Map<string, Room>();
  readonly #pending = new Map<WsClient, Map<string, PendingJoin>>();
  readonly #labels = new WeakMap<WsClient, Map<string, MemberLabel>>();
  readonly #listeners: RoomListener[] = [];
  readonly #logger = new Logger('PxlWebSocket');

  constructor(
    private readonly clientManager: ClientManager,
    @Inject(ROOM_INTEREST) private readonly interest: RoomInterest,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Every room that has members, with their client ids. */
  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#rooms;
  }

  /**
   * Puts a client into a room.
   *
   * @returns true once the client receives what is sent to the room; false when it is gone, or left while it joined
   * @throws WsError INVALID_ROOM, ROOM_LIMIT, or UNAVAILABLE and TIMEOUT when the room cannot be made live
   */
  async addClientToRoom({ clientId, roomName }: { clientId: string; roomName: string }): Promise<boolean> {
    const client = this.clientManager.getClient({ clientId });
    return client ? this.join(client, roomName) : false;
  }

  /** Takes a client out of a room, or out of joining it; does nothing when it is not there. */
  removeClientFromRoom({ roomName, clientId }: { roomName: string; clientId: string }): void {
    const client = this.clientManager.getClient({ clientId });
    if (client) this.leave(client, roomName);
  }

  /** Takes a client out of every room. */
  removeClientFromAllRooms({ clientId }: { clientId: string }): void {
    const client = this.clientManager.getClient({ clientId });
    if (client) this.leaveAll(client);
  }

  isClientInRoom({ clientId, roomName }: { clientId: string; roomName: string }): boolean {
    return this.#rooms.get(roomName)?.has(clientId) ?? false;
  }

  /** The ids of a room's members; empty when there is no such room. */
  getRoomClients({ roomName }: { roomName: string }): string[] {
    return [...(this.#rooms.get(roomName) ?? [])];
  }

  /** Logs every room with its members. */
  printRooms(): void {
    const lines = [...this.#rooms].map(([name, members]) => `  ${name} (${members.size}): ${[...members].join(', ')}`);
    this.#logger.log([`${this.#rooms.size} rooms`, ...lines].join('\n'));
  }

  /** @internal The clients of this worker in a room. */
  localOf(roomName: string): ReadonlySet<WsClient> | undefined {
    return this.#rooms.get(roomName)?.clients;
  }

  /** @internal Tells `listener` of every membership that begins or ends, in order. */
  listen(listener: RoomListener): void {
    this.#listeners.push(listener);
  }

  /** @internal {@link addClientToRoom} for a client at hand. */
  async join(client: WsClient, roomName: string, label: MemberLabel = NO_LABEL): Promise<boolean> {
    checkRoomName(roomName, this.options.limits.roomName);
    if (!this.#isConnected(client)) return false;
    if (client.rooms.has(roomName)) return true;
    const same = this.#pending.get(client)?.get(roomName);
    if (same) {
      same.cancelled = false; // joined, left and joined again before the room was live
      return same.done;
    }
    this.#checkRoomLimit(client);
    const live = this.interest.acquireRoom(roomName);
    if (live) return this.#joinWhenLive(client, roomName, label, live);
    this.#enter(client, roomName, label);
    return true;
  }

  /** @internal {@link removeClientFromRoom} for a client at hand. */
  leave(client: WsClient, roomName: string): void {
    const pending = this.#pending.get(client)?.get(roomName);
    if (pending) pending.cancelled = true;
    const room = this.#rooms.get(roomName);
    if (!room?.clients.has(client)) return;
    this.#exit(client, roomName, room);
    client.roomSet.delete(roomName);
    if (client.roomName === roomName) client.roomName = [...client.rooms].at(-1) ?? null;
  }

  /** @internal {@link removeClientFromAllRooms} for a client at hand. */
  leaveAll(client: WsClient): void {
    this.#cancelJoins(client);
    for (const roomName of [...client.rooms]) this.leave(client, roomName);
  }

  /**
   * @internal Ends the memberships of a client whose connection has ended. The client itself keeps its rooms, so that
   * `handleDisconnect` can still read them.
   */
  drop(client: WsClient): void {
    this.#cancelJoins(client);
    for (const roomName of client.rooms) {
      const room = this.#rooms.get(roomName);
      if (room) this.#exit(client, roomName, room);
    }
  }

  #joinWhenLive(client: WsClient, roomName: string, label: MemberLabel, live: Promise<void>): Promise<boolean> {
    const joining = this.#pending.get(client) ?? new Map<string, PendingJoin>();
    this.#pending.set(client, joining);
    const settle = (): void => {
      joining.delete(roomName);
      if (joining.size === 0) this.#pending.delete(client);
    };
    const pending: PendingJoin = {
      cancelled: false,
      done: live.then(
        () => {
          settle();
          if (pending.cancelled || !this.#isConnected(client)) {
            this.interest.releaseRoom(roomName);
            return false;
          }
          this.#enter(client, roomName, label);
          return true;
        },
        (error: unknown) => {
          settle();
          this.interest.releaseRoom(roomName);
          throw error;
        },
      ),
    };
    joining.set(roomName, pending);
    return pending.done;
  }

  #checkRoomLimit(client: WsClient): void {
    const { limits, rooms } = this.options;
    const limit = limits.roomsPerClient;
    if (limit === false || !rooms.clientCanJoinMultipleRooms) return;
    if (client.rooms.size + (this.#pending.get(client)?.size ?? 0) >= limit) {
      throw new WsError('ROOM_LIMIT', `A client can be in ${limit} rooms at most.`);
    }
  }

  #cancelJoins(client: WsClient): void {
    for (const join of this.#pending.get(client)?.values() ?? []) join.cancelled = true;
  }

  #isConnected(client: WsClient): boolean {
    return this.clientManager.getClient(client) === client;
  }

  #enter(client: WsClient, roomName: string, label: MemberLabel): void {
    let room = this.#rooms.get(roomName);
    if (!room) this.#rooms.set(roomName, (room = new Room()));
    room.enter(client);
    client.roomSet.add(roomName);
    client.roomName = roomName;
    if (label !== NO_LABEL) {
      const labels = this.#labels.get(client);
      if (labels) labels.set(roomName, label);
      else this.#labels.set(client, new Map([[roomName, label]]));
    }
    for (const listener of this.#listeners) listener.joined(client, roomName, label);
    if (!this.options.rooms.clientCanJoinMultipleRooms) this.#leaveOthers(client, roomName);
  }

  /** One-room mode: the old room is left only now that the new one is live. */
  #leaveOthers(client: WsClient, roomName: string): void {
    for (const other of [...client.rooms]) {
      if (other !== roomName && !this.options.rooms.defaults.includes(other)) this.leave(client, other);
    }
  }

  #exit(client: WsClient, roomName: string, room: Room): void {
    room.exit(client);
    if (room.size === 0) this.#rooms.delete(roomName);
    this.interest.releaseRoom(roomName);
    const labels = this.#labels.get(client);
    const label = labels?.get(roomName) ?? NO_LABEL;
    labels?.delete(roomName);
    for (const listener of this.#listeners) listener.left(client, roomName, label);
  }
}
