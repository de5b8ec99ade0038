import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import { ROOM_PRESENCE, type RoomPresence } from '../../presence/room-presence.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { sharedUser } from '../../ws-client/client-json.js';
import type { WsUser } from '../../ws-client/client-entry.js';
import type { ClientRecord, SharedMembership, SharedUser } from './client-record.js';
import { describeClient, describeMembership } from './describe-client.js';

/** The clients of this worker as the others see them. */
@Injectable()
export class OwnClients {
  constructor(
    private readonly clients: ClientRegistry,
    private readonly rooms: RoomRegistry,
    @Inject(ROOM_PRESENCE) private readonly presence: RoomPresence,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  get size(): number {
    return this.clients.size;
  }

  *records(): Iterable<ClientRecord> {
    for (const client of this.clients.values()) yield this.recordOf(client);
  }

  record(clientId: string): ClientRecord | undefined {
    const client = this.clients.get(clientId);
    return client && this.recordOf(client);
  }

  membership(clientId: string, roomName: string): SharedMembership | undefined {
    const client = this.clients.get(clientId);
    if (!client?.rooms.has(roomName)) return undefined;
    return this.#present(client, describeMembership(client, roomName, this.rooms.usernameIn(client, roomName)));
  }

  /** What the registry keeps of a client. */
  recordOf(client: ClientSession): ClientRecord {
    const record = this.describe(client);
    if (!this.presence.isOn) return record;
    const rooms = record.rooms.map((membership) => this.#present(client, membership));
    return { ...record, ...this.presence.returnOf(client), rooms };
  }

  /** The record of a client without what only concerns presence. */
  describe(client: ClientSession): ClientRecord {
    const usernameIn = (roomName: string): string | undefined => this.rooms.usernameIn(client, roomName);
    return describeClient(client, this.options.cluster.shareUser, usernameIn);
  }

  /** What is shared of a membership that begins. */
  begun(client: ClientSession, roomName: string, username: string | undefined): SharedMembership {
    return this.#present(client, describeMembership(client, roomName, username));
  }

  userOf(user: WsUser): SharedUser {
    return sharedUser(user, this.options.cluster.shareUser);
  }

  #present(client: ClientSession, membership: SharedMembership): SharedMembership {
    const presence = this.presence.isOn ? this.presence.sharedOf(client, membership.roomName) : undefined;
    return presence ? { ...membership, presence } : membership;
  }
}
