import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { applicationClose } from '../../clients/close-reason.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { WsTarget } from '../../cluster/bus/envelope.js';
import { ROOM_PRESENCE, type RoomPresence } from '../../presence/room-presence.interface.js';
import { Memberships } from '../../rooms/memberships.js';
import { Recipients } from '../delivery/recipients.js';
import type { ClientCommand } from './cluster-command.js';

/** Carries out commands for single clients on this worker. */
@Injectable()
export class ClientCommands {
  constructor(
    private readonly recipients: Recipients,
    private readonly clients: ClientRegistry,
    private readonly memberships: Memberships,
    @Inject(ROOM_PRESENCE) private readonly presence: RoomPresence,
  ) {}

  apply(target: WsTarget, command: ClientCommand): void {
    for (const client of [...this.recipients.of(target)]) this.#apply(client, command);
  }

  #apply(client: ClientSession, command: ClientCommand): void {
    switch (command.name) {
      case 'disconnect': {
        const { code, reason } = applicationClose(command.code, command.reason);
        client.close(code, reason);
        break;
      }
      case 'leave':
        this.#remove(client, command.rooms, command.broadcast);
        break;
      case 'update':
        this.clients.update(client, command.key, command.data);
        break;
      case 'state':
        this.#setState(client, command.roomName, command.state);
        break;
    }
  }

  #setState(client: ClientSession, roomName: string, state: unknown): void {
    if (client.rooms.has(roomName) && this.presence.rulesOf(roomName)) this.presence.setState(client, roomName, state);
  }

  #remove(client: ClientSession, rooms: readonly string[] | 'all', broadcast: boolean | undefined): void {
    if (rooms === 'all') this.memberships.removeFromAll(client);
    else for (const roomName of rooms) this.memberships.remove(client, roomName, 'removed', broadcast);
  }
}
