import { Inject, Injectable } from '@nestjs/common';
import { claimOf, fieldReader } from '../clients/client-fields.js';
import { ClientMirror } from '../clients/client-mirror.js';
import { ClientRegistry } from '../clients/client-registry.js';
import type { MirroredClient } from '../clients/remote-client.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { UnsharedClaims } from '../clients/unshared-claims.js';
import { WsError } from '../errors/ws.error.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { workerOf } from '../runtime/client-id.js';
import { RoomRegistry } from './room-registry.js';

/** One client of the list, under the names of `clientList.fields`. */
export type ListedClient = Readonly<Record<string, unknown>>;

/** A client of this worker or of another one: `ws` tells them apart. */
type KnownClient = ClientSession | MirroredClient;
type Reader = (client: KnownClient) => unknown;
type RoomFilter = (client: KnownClient, roomName: string) => boolean;

/** With `clientList.enabled`: the list of all clients that clients can read, with the fields of `clientList.fields`. */
@Injectable()
export class ClientList {
  readonly #columns: readonly (readonly [name: string, read: Reader])[];
  readonly #claims: readonly string[];

  constructor(
    private readonly clients: ClientRegistry,
    private readonly mirror: ClientMirror,
    rooms: RoomRegistry,
    private readonly unshared: UnsharedClaims,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    const isListed = allOptions(options).some(({ rooms: { own } }) => own) ? isNotOwnRoom : always;
    const { fields } = options.clientList;
    this.#columns = fields.map((name) => [name, readerOf(name, rooms, isListed)]);
    this.#claims = fields.flatMap((name) => claimOf(name) ?? []);
  }

  /** The clients of all workers, as far as this one knows them. */
  read(): ListedClient[] {
    if (this.mirror.size > 0) for (const claim of this.#claims) this.unshared.looksFor(claim);
    const row = (client: KnownClient): ListedClient =>
      Object.fromEntries(this.#columns.map(([name, read]) => [name, read(client)]));
    return [...this.clients.values(), ...this.mirror.all()].map(row);
  }

  /** @throws WsError FORBIDDEN unless `clientList.enabled` is set */
  checkEnabled(): void {
    if (!this.options.clientList.enabled) throw new WsError('FORBIDDEN', 'The client list is not enabled.');
  }
}

function readerOf(name: string, rooms: RoomRegistry, isListed: RoomFilter): Reader {
  switch (name) {
    case 'userId':
    case 'userType':
      return ({ user }) => user?.[name];
    case 'username':
      return (client) => (client.ws ? rooms.usernameOf(client) : client.username);
    case 'rooms':
      return (client) =>
        [...(client.ws ? client.rooms : client.roomNames)].filter((roomName) => isListed(client, roomName));
    case 'roomName':
      return (client) => (client.roomName !== null && isListed(client, client.roomName) ? client.roomName : null);
    default:
      return fieldReader(name);
  }
}

function always(): boolean {
  return true;
}

/** A room of `rooms.own` is not listed: its name is a client's id, which `clientList.fields` may leave out. */
function isNotOwnRoom({ clientId }: KnownClient, roomName: string): boolean {
  return roomName !== clientId && workerOf(roomName) === undefined;
}
