import { Injectable } from '@nestjs/common';
import { ClientManager } from '../../clients/client-manager.js';
import { ClientMirror } from '../../clients/client-mirror.js';
import { RemoteClient } from '../../clients/remote-client.js';
import { UnsharedClaims } from '../../clients/unshared-claims.js';
import { RoomManager } from '../../rooms/room-manager.js';
import { clientEventOf } from '../events/client-events.js';
import type { ClientChange, ClientRecord } from './client-record.js';

/** Writes the changes of other workers' clients into the mirror: the clients and rooms that this worker shows of them. */
@Injectable()
export class MirrorWriter {
  constructor(
    private readonly clients: ClientManager,
    private readonly rooms: RoomManager,
    private readonly mirror: ClientMirror,
    private readonly claims: UnsharedClaims,
  ) {}

  apply(workerId: string, change: ClientChange): void {
    if (change.kind === 'connected') this.#add(workerId, change.record);
    else {
      const client = this.mirror.get(change.clientId);
      if (client) this.#change(client, change);
    }
    this.clients.listWanted(clientEventOf(workerId, change)?.channel ?? 'clientUpdated');
  }

  #add(workerId: string, { clientId, connectedAt, user: shared, metadata, rooms }: ClientRecord): void {
    const user = shared && this.claims.watch(shared);
    const client = new RemoteClient({ clientId, workerId, connectedAt, user, metadata: { ...metadata } });
    this.mirror.add(client);
    for (const { roomName, username } of rooms) this.rooms.enterRemote(client, roomName, username);
  }

  #change(client: RemoteClient, change: Exclude<ClientChange, { kind: 'connected' }>): void {
    switch (change.kind) {
      case 'disconnected':
        for (const roomName of [...client.rooms]) this.rooms.exitRemote(client, roomName);
        this.mirror.remove(client);
        break;
      case 'identified':
        this.mirror.identify(client, this.claims.watch(change.user));
        break;
      case 'joined':
        this.rooms.enterRemote(client, change.membership.roomName, change.membership.username);
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
