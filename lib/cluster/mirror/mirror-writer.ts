import { Inject, Injectable } from '@nestjs/common';
import { ClientMirror } from '../../clients/client-mirror.js';
import { MirroredClient } from '../../clients/remote-client.js';
import { UnsharedClaims } from '../../clients/unshared-claims.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Memberships } from '../../rooms/memberships.js';
import { RoomNames } from '../../rooms/room-names.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { clientEventOf } from '../events/client-events.js';
import type { ChangeOfMembership, ClientChange, ClientRecord } from '../registry/client-record.js';

/** Writes the changes of other workers' clients into the mirror: the clients and rooms that this worker shows of them. */
@Injectable()
export class MirrorWriter {
  readonly #names: RoomNames;

  constructor(
    private readonly rooms: RoomRegistry,
    private readonly memberships: Memberships,
    private readonly mirror: ClientMirror,
    private readonly claims: UnsharedClaims,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  apply(workerId: string, change: ClientChange): void {
    if (change.kind === 'described') {
      this.#describe(change);
      return;
    }
    if (change.kind === 'connected') this.#add(workerId, change.record);
    else {
      const client = this.mirror.get(change.clientId);
      if (client) this.#change(client, change);
    }
    this.mirror.changed(clientEventOf(workerId, change, this.#names)?.channel ?? 'clientUpdated');
  }

  #add(workerId: string, { clientId, connectedAt, user: shared, metadata, rooms }: ClientRecord): void {
    const user = shared && this.claims.watch(shared);
    const client = new MirroredClient({ clientId, workerId, connectedAt, user, metadata });
    this.mirror.add(client);
    for (const { roomName, username } of rooms) this.memberships.enterRemote(client, roomName, username);
  }

  #describe({ clientId, membership: { roomName, username } }: ChangeOfMembership): void {
    const client = this.mirror.get(clientId);
    if (client) this.rooms.enterRemote(client, roomName, username);
  }

  #change(client: MirroredClient, change: Exclude<ClientChange, { kind: 'connected' | 'described' }>): void {
    switch (change.kind) {
      case 'disconnected':
        for (const roomName of [...client.roomNames]) this.rooms.exitRemote(client, roomName);
        this.mirror.remove(client);
        break;
      case 'identified':
        this.mirror.identify(client, this.claims.watch(change.user));
        break;
      case 'joined':
        this.memberships.enterRemote(client, change.membership.roomName, change.membership.username);
        break;
      case 'left':
        this.rooms.exitRemote(client, change.membership.roomName);
        break;
      case 'updated':
        Object.assign(client.metadata, { [change.key]: change.data });
        break;
    }
  }
}
