import { Inject, Injectable } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { kindOf } from '../errors/kind-of.js';
import { WsError } from '../errors/ws.error.js';
import type { WsUser } from '../ws-client/client-entry.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { claimOf, fieldReader } from './client-fields.js';
import type { ClientEnd, ClientListener } from './client-listener.interface.js';
import { setMetadata } from './client-metadata.js';
import { ClientMirror } from './client-mirror.js';
import { applicationClose } from './close-reason.js';
import type { RemoteClient } from './remote-client.js';
import type { RemoteControl } from './remote-control.interface.js';
import type { SocketAdopter } from './socket-adopter.interface.js';
import { UnsharedClaims } from './unshared-claims.js';
import { checkSame, toUser, type GivenUser } from './user-identity.js';
import type { ClientSocket } from './session/client-outbox.interface.js';
import type { WsClient } from './ws-client.js';
import { OPEN } from '../runtime/socket-state.js';

/** The end of a client that the application takes out of the registry itself. */
const REMOVED: ClientEnd = CLOSE_CODES.DISCONNECTED;

/** A client of this worker, or what another worker tells of one of its own: `ws` tells them apart. */
export type AnyClient = WsClient | RemoteClient;

/** Who is in which room: the room manager, which stands above this registry. */
interface RoomLookup {
  membersOf(roomName: string): ReadonlySet<string> | undefined;
}

/** What {@link ClientManager.getClientByKey} looks for. */
export interface ClientByKey {
  /** The path of a field: `user.payload.email`, `metadata.theme`, `roomName`. */
  key: string;
  /** What the field holds, compared by identity. */
  value: unknown;
  /** Only a client with an open socket on this worker. */
  requireWs?: boolean;
  userType?: string;
}

/** What {@link ClientManager.addClient} takes. */
export interface AddClientOptions {
  clientId: string;
  /** A socket of any ws server of this process. */
  ws: WebSocket;
  /** In ms since 1970; now by default. */
  lastActivity?: number;
  user?: GivenUser | null;
}

/**
 * The registry of connections of all workers: by id, by socket and by user, each look-up O(1). What it tells of other
 * workers' clients is the mirror; with `cluster.mirror: false` it knows this worker's only. Unknown clients are no error.
 */
@Injectable()
export class ClientManager {
  readonly #clients = new Map<string, WsClient>();
  readonly #byUser = new Map<string, Set<WsClient>>();
  readonly #listeners: ClientListener[] = [];
  #rooms: RoomLookup | null = null;
  #adopter: SocketAdopter | null = null;
  #remote: RemoteControl | null = null;

  constructor(
    private readonly mirror: ClientMirror,
    private readonly counters: RefusalCounters,
    private readonly claims: UnsharedClaims,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * One client.
   *
   * @param requireWs only a client with an open socket on this worker
   */
  getClient(query: { clientId: string; requireWs: true }): WsClient | undefined;
  getClient(query: { clientId: string; requireWs?: boolean }): AnyClient | undefined;
  getClient({ clientId, requireWs = false }: { clientId: string; requireWs?: boolean }): AnyClient | undefined {
    const client = this.#clients.get(clientId);
    if (requireWs) return client?.readyState === OPEN ? client : undefined;
    return client ?? this.mirror.get(clientId);
  }

  /** The id of the client behind a socket, as gateways get it from ws; undefined when it is not (or no longer) one. */
  getClientId({ ws }: { ws: WebSocket }): string | undefined {
    // Null where the socket is that of another worker's client.
    const client = (ws as Partial<ClientSocket> | null)?.client;
    return client && this.#clients.get(client.clientId) === client ? client.clientId : undefined;
  }

  /** All clients, or those of one user type: this worker's first, in the order in which they connected. */
  getClients({ userType }: { userType?: string } = {}): AnyClient[] {
    const clients = [...this.#clients.values(), ...this.mirror.all()];
    return userType === undefined ? clients : clients.filter(({ user }) => user?.userType === userType);
  }

  /** The sessions of a user; a number means its decimal string. */
  getClientsByUser({ userId }: { userId: string | number }): AnyClient[] {
    return [...(this.#byUser.get(String(userId)) ?? []), ...this.mirror.ofUser(String(userId))];
  }

  /** The members of a room. */
  getClientsByRoom({ room }: { room: string }): AnyClient[] {
    const members = this.#rooms?.membersOf(room) ?? [];
    return [...members].flatMap((clientId) => this.getClient({ clientId }) ?? []);
  }

  /**
   * The first client, in the order in which they connected, whose field holds the value. Reads every client, except for
   * the keys `clientId` and `user.userId`.
   *
   * @throws WsError BAD_MESSAGE when the key begins with no field of a client
   */
  getClientByKey(query: ClientByKey): AnyClient | undefined {
    const found = this.#findByKey(query);
    const claim = claimOf(query.key);
    if (!found && claim !== undefined && !query.requireWs && this.mirror.size > 0) this.claims.looksFor(claim);
    return found;
  }

  /**
   * Changes one key of a client's metadata. The value is copied, as JSON carries it.
   *
   * @throws WsError BAD_MESSAGE for a prototype's name, a value without a JSON form, and over `limits.metadataBytes`
   */
  updateClient({ clientId, key, data }: { clientId: string; key: string; data: unknown }): void {
    const client = this.#clients.get(clientId);
    // Another worker's client is changed there: here only the value is checked, against what is known of the rest.
    const metadata = client?.metadata ?? { ...this.mirror.get(clientId)?.metadata };
    const value = setMetadata(metadata, key, data, this.options.limits.metadataBytes, this.counters);
    if (!client) this.#remote?.update(clientId, key, value);
    else for (const listener of this.#listeners) listener.updated?.(client, key, value);
  }

  /**
   * Closes a client's connection, after everything sent before.
   *
   * @param code 1000 or 3000–4999; default 4506, on which clients do not come back by themselves
   * @param reason for people, cut to 123 bytes
   * @throws WsError BAD_MESSAGE for any other code
   */
  disconnectClient({ clientId, code, reason }: { clientId: string; code?: number; reason?: string }): void {
    const close = applicationClose(code, reason);
    for (const listener of this.#listeners) listener.disconnecting?.(clientId, { code, reason });
    const client = this.#clients.get(clientId);
    if (client) client.close(close.code, close.reason);
    else this.#remote?.disconnect(clientId, close.code, close.reason);
  }

  /**
   * Pushes the client list to everybody, within a second. Does nothing unless `clientList.enabled` is set.
   *
   * @param event what it is pushed for; stands in the push
   */
  broadcastClientList(event?: string): void {
    this.listWanted(event);
    this.#remote?.listWanted(event);
  }

  /**
   * Takes an open socket of any ws server on as a client: it is welcomed, its messages are routed as those of the
   * module's own path, its end is noticed. An id or a socket that is a client already is left alone, and so is a socket
   * that is not open.
   *
   * @throws WsError BAD_MESSAGE for an id that is no text, a user that is none, and without a socket: clients of other
   * workers become known by themselves
   */
  addClient({ clientId, ws, lastActivity, user }: AddClientOptions): void {
    if (typeof clientId !== 'string' || clientId === '') {
      throw new WsError('BAD_MESSAGE', 'A client id is a text that is not empty.');
    }
    if (typeof (ws as Partial<WebSocket> | null | undefined)?.readyState !== 'number') {
      const why = 'clients of other workers are known here without it, by the registry that the workers share';
      throw new WsError('BAD_MESSAGE', `addClient takes an open socket of ws, not ${kindOf(ws)}: ${why}.`);
    }
    // Not by truthiness: an empty text where a user was meant must not be an anonymous client.
    const identity = user === undefined || user === null ? null : toUser(user);
    if (ws.readyState !== OPEN || this.#clients.has(clientId) || this.getClientId({ ws }) !== undefined) return;
    this.#adopter?.adopt({ clientId, ws, user: identity, lastActivity });
  }

  /**
   * Closes a client's connection with 4506 and forgets it at once, its rooms included. Another worker's client is closed
   * there, and forgotten once its connection has ended.
   */
  removeClient(clientId: string): void {
    const client = this.#clients.get(clientId);
    if (!client) {
      this.#remote?.disconnect(clientId, REMOVED.code, REMOVED.reason);
      return;
    }
    client.close();
    this.unregister(client);
  }

  /** Closes every client of this worker with 1001 and forgets them at once. */
  cleanup(): void {
    for (const client of [...this.#clients.values()]) {
      client.ws.close(CLOSE_CODES.GOING_AWAY.code, CLOSE_CODES.GOING_AWAY.reason);
      this.unregister(client, CLOSE_CODES.GOING_AWAY);
    }
  }

  /** How many clients are connected to this worker. */
  get size(): number {
    return this.#clients.size;
  }

  /** @internal {@link getClients} of this worker alone. */
  getLocalClients({ userType }: { userType?: string } = {}): WsClient[] {
    const clients = [...this.#clients.values()];
    return userType === undefined ? clients : clients.filter(({ user }) => user?.userType === userType);
  }

  /** @internal The clients of this worker, to walk over. */
  get local(): ReadonlyMap<string, WsClient> {
    return this.#clients;
  }

  /** @internal The sessions that a user has on this worker. */
  localOfUser(userId: string): ReadonlySet<WsClient> | undefined {
    return this.#byUser.get(userId);
  }

  /** @internal Tells `listener` of every client that comes or goes, in order. */
  listen(listener: ClientListener): void {
    this.#listeners.push(listener);
  }

  /** @internal {@link broadcastClientList} to the clients of this worker. */
  listWanted(event: string | undefined): void {
    for (const listener of this.#listeners) listener.listWanted?.(event);
  }

  /** @internal Who reaches the clients of other workers. */
  controlRemoteWith(remote: RemoteControl): void {
    this.#remote = remote;
  }

  /** @internal Who answers {@link getClientsByRoom}. */
  lookUpRoomsIn(rooms: RoomLookup): void {
    this.#rooms = rooms;
  }

  /** @internal Who does the work of {@link addClient}. */
  adoptWith(adopter: SocketAdopter): void {
    this.#adopter = adopter;
  }

  /** @internal Takes an accepted client into the registry. */
  register(client: WsClient): void {
    this.#clients.set(client.clientId, client);
    if (client.user) this.#addSession(client, client.user);
    for (const listener of this.#listeners) listener.registered?.(client);
  }

  /**
   * @internal The credentials of a client that was anonymous say who it is.
   * @throws WsError CONFLICT when the application has said otherwise before
   */
  identify(client: WsClient, user: WsUser): void {
    if (!client.user) {
      this.#begin(client, user);
      return;
    }
    checkSame(client.user, user);
    this.renew(client, user);
  }

  /**
   * @internal The application says who a client is: what its credentials leave open, and nothing else.
   * @throws WsError CONFLICT when they have said otherwise
   */
  assign(client: WsClient, user: WsUser): void {
    const known = client.user;
    if (!known) {
      client.assignedType = user.userType;
      this.#begin(client, user);
      return;
    }
    checkSame(known, user);
    // A type that the credentials have named as well is theirs: newer ones may take it back.
    if (known.userType !== undefined || user.userType === undefined) return;
    client.assignedType = user.userType;
    this.renew(client, known);
  }

  /** @internal Newer credentials of the same user. A type that the application has assigned fills in where they name none. */
  renew(client: WsClient, user: WsUser): void {
    const before = client.user;
    client.setUser({ ...user, userType: user.userType ?? client.assignedType });
    if (!before || this.#clients.get(client.clientId) !== client) return;
    for (const listener of this.#listeners) listener.renewed?.(client, before);
  }

  /** @internal Forgets a client; does nothing when that has happened. */
  unregister(client: WsClient, end: ClientEnd = REMOVED): void {
    if (this.#clients.get(client.clientId) !== client) return;
    this.#clients.delete(client.clientId);
    if (client.user) this.#removeSession(client, client.user);
    for (const listener of this.#listeners) listener.unregistered?.(client, end);
  }

  #begin(client: WsClient, user: WsUser): void {
    client.setUser(user);
    if (this.#clients.get(client.clientId) !== client) return;
    this.#addSession(client, user);
    for (const listener of this.#listeners) listener.identified?.(client);
  }

  #findByKey({ key, value, requireWs = false, userType }: ClientByKey): AnyClient | undefined {
    const read = fieldReader(key);
    const wanted = key === 'user.userId' ? String(value) : value;
    for (const client of this.#candidates(key, wanted)) {
      if (requireWs && client.ws?.readyState !== OPEN) continue;
      if (userType !== undefined && client.user?.userType !== userType) continue;
      if (read(client) === wanted) return client;
    }
    return undefined;
  }

  #candidates(key: string, value: unknown): Iterable<AnyClient> {
    if (key === 'user.userId') return this.getClientsByUser({ userId: String(value) });
    if (key !== 'clientId') return this.getClients();
    const client = this.getClient({ clientId: String(value) });
    return client ? [client] : [];
  }

  #addSession(client: WsClient, { userId }: WsUser): void {
    const sessions = this.#byUser.get(userId);
    if (sessions) sessions.add(client);
    else this.#byUser.set(userId, new Set([client]));
  }

  #removeSession(client: WsClient, { userId }: WsUser): void {
    const sessions = this.#byUser.get(userId);
    sessions?.delete(client);
    if (sessions?.size === 0) this.#byUser.delete(userId);
  }
}
