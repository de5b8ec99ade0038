import { Inject, Injectable } from '@nestjs/common';
import { claimOf, fieldReader } from '../clients/client-fields.js';
import { ClientManager, type AnyClient } from '../clients/client-manager.js';
import { UnsharedClaims } from '../clients/unshared-claims.js';
import { WsError } from '../errors/ws.error.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { workerOf } from '../runtime/client-id.js';
import { RoomManager } from './room-manager.js';

/** One client of the list, under the names of `clientList.fields`. */
export type ListedClient = Readonly<Record<string, unknown>>;

type Reader = (client: AnyClient) => unknown;
type RoomFilter = (client: AnyClient, roomName: string) => boolean;

/** What clients may know of each other: the allow-listed fields of everyone, where the application has enabled it. */
@Injectable()
export class ClientList {
  readonly #columns: readonly (readonly [name: string, read: Reader])[];
  readonly #claims: readonly string[];

  constructor(
    private readonly clientManager: ClientManager,
    rooms: RoomManager,
    private readonly unshared: UnsharedClaims,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    const isListed = allOptions(options).some(({ rooms: { own } }) => own) ? isNobodysOwn : always;
    const { fields } = options.clientList;
    this.#columns = fields.map((name) => [name, readerOf(name, rooms, isListed)]);
    this.#claims = fields.flatMap((name) => claimOf(name) ?? []);
  }

  /** Every client of all workers, as far as this one knows. */
  read(): ListedClient[] {
    const clients = this.clientManager.getClients();
    if (clients.length > this.clientManager.size) for (const claim of this.#claims) this.unshared.looksFor(claim);
    return clients.map((client) => Object.fromEntries(this.#columns.map(([name, read]) => [name, read(client)])));
  }

  /** @throws WsError FORBIDDEN unless `clientList.enabled` is set */
  checkEnabled(): void {
    if (!this.options.clientList.enabled) throw new WsError('FORBIDDEN', 'The client list is not enabled.');
  }
}

function readerOf(name: string, rooms: RoomManager, isListed: RoomFilter): Reader {
  switch (name) {
    case 'userId':
    case 'userType':
      return ({ user }) => user?.[name];
    case 'username':
      return (client) => (client.ws ? rooms.usernameOf(client) : client.username);
    case 'rooms':
      return (client) => [...client.rooms].filter((roomName) => isListed(client, roomName));
    case 'roomName':
      return (client) => (client.roomName !== null && isListed(client, client.roomName) ? client.roomName : null);
    default:
      return fieldReader(name);
  }
}

function always(): boolean {
  return true;
}

/** A room of `rooms.own` would tell the id of its client, where `clientList.fields` may keep ids back. */
function isNobodysOwn({ clientId }: AnyClient, roomName: string): boolean {
  return roomName !== clientId && workerOf(roomName) === undefined;
}
