import { Inject, Injectable } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { claimOf, fieldReader } from '../../clients/client-fields.js';
import { ClientMirror } from '../../clients/client-mirror.js';
import { ClientRegistry } from '../../clients/client-registry.js';
import { sessionOf } from '../../clients/session/client-outbox.interface.js';
import { clientsOf } from '../../clients/session/client-session.js';
import { applicationClose } from '../../clients/close-reason.js';
import type { AnyClient } from '../../clients/remote-client.js';
import { UnsharedClaims } from '../../clients/unshared-claims.js';
import { toUser } from '../../clients/user-identity.js';
import type { WsGivenUser } from '../../ws-client/client-entry.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import type { WsClient } from '../../ws-client/ws-client.js';
import { kindOf } from '../../errors/kind-of.js';
import { WsError } from '../../errors/ws.error.js';
import { WebSocketRedisSubscriberEvent } from '../../protocol/cluster-events.js';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { RoomNames } from '../../rooms/room-names.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { OPEN } from '../../runtime/socket-state.js';
import { SocketAdoption } from '../../transport/connection/socket-adoption.js';
import { RemoteClients } from '../coordination/remote-clients.js';
import { VerbEvents } from './verb-events.js';

/** What {@link ClientManager.getClientByKey} looks for. */
export interface ClientByKey {
  /** The path of a field: `user.payload.email`, `metadata.theme`, `roomName`. */
  key: string;
  /** What the field holds, compared by identity. */
  value: unknown;
  /** True: only a client with an open socket on this worker. Default: false. */
  requireWs?: boolean;
  /** Only clients of this user type. */
  userType?: string;
}

/** What {@link ClientManager.addClient} takes. */
export interface AddClientOptions {
  clientId: string;
  /** An open socket of any ws server of this process. */
  ws: WebSocket;
  /** In ms since 1970. Default: now. */
  lastActivity?: number;
  user?: WsGivenUser | null;
  /**
   * The path of the endpoint whose client it becomes, as a request has it: `'/ws/acme'`, with or without a query. Default: the
   * module's own, which has to have no parameters then.
   */
  path?: string;
}

/**
 * The clients of all workers: by id, by socket and by user, each look-up O(1). It knows other workers' clients by the mirror;
 * with `cluster.mirror: false` it knows this worker's clients only. An unknown client is not an error.
 */
@Injectable()
export class ClientManager {
  readonly #names: RoomNames;

  constructor(
    private readonly registry: ClientRegistry,
    private readonly mirror: ClientMirror,
    private readonly roomRegistry: RoomRegistry,
    private readonly claims: UnsharedClaims,
    private readonly remote: RemoteClients,
    private readonly adoption: SocketAdoption,
    private readonly verbEvents: VerbEvents,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  /** How many clients are connected to this worker. */
  get size(): number {
    return this.registry.size;
  }

  /**
   * One client.
   *
   * @param requireWs true: only a client with an open socket on this worker
   */
  getClient(query: { clientId: string; requireWs: true }): WsClient | undefined;
  getClient(query: { clientId: string; requireWs?: boolean }): AnyClient | undefined;
  getClient({ clientId, requireWs = false }: { clientId: string; requireWs?: boolean }): AnyClient | undefined {
    const session = this.registry.get(clientId);
    if (requireWs) return session?.readyState === OPEN ? session.client : undefined;
    return session?.client ?? this.mirror.get(clientId);
  }

  /** The id of the client behind a socket, as gateways get it from ws; undefined when the socket is not a client's (any more). */
  getClientId({ ws }: { ws: WebSocket }): string | undefined {
    // `ws` is null in the entry of another worker's client.
    const session = sessionOf(ws);
    return session && this.registry.holds(session) ? session.clientId : undefined;
  }

  /** All clients, or those of one user type: this worker's first, in the order in which they connected. */
  getClients({ userType }: { userType?: string } = {}): AnyClient[] {
    const clients = [...clientsOf(this.registry.values()), ...this.mirror.all()];
    return userType === undefined ? clients : clients.filter(({ user }) => user?.userType === userType);
  }

  /** The sessions of a user; a number means its decimal string. */
  getClientsByUser({ userId }: { userId: string | number }): AnyClient[] {
    return [...clientsOf(this.registry.ofUser(String(userId)) ?? []), ...this.mirror.ofUser(String(userId))];
  }

  /** The members of a room. */
  getClientsByRoom({ room, namespace }: WsNamespaced & { room: string }): AnyClient[] {
    const members = this.roomRegistry.membersOf(this.#names.keyOf('room', room, namespace)) ?? [];
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
    const session = this.registry.get(clientId);
    if (session) this.registry.update(session, key, data);
    else this.remote.update(clientId, key, data);
  }

  /**
   * Closes a client's connection, after everything sent before.
   *
   * @param code 1000 or 3000–4999; default 4506, after which clients do not reconnect by themselves
   * @param reason for people, cut to 123 bytes
   * @throws WsError BAD_MESSAGE for any other code
   */
  disconnectClient({ clientId, code, reason }: { clientId: string; code?: number; reason?: string }): void {
    const close = applicationClose(code, reason);
    this.verbEvents.publish(WebSocketRedisSubscriberEvent.DisconnectClient, { clientId, code, reason });
    const session = this.registry.get(clientId);
    if (session) session.close(close.code, close.reason);
    else this.remote.disconnect(clientId, close.code, close.reason);
  }

  /**
   * Pushes the client list to every client, within a second. Does nothing unless `clientList.enabled` is set.
   *
   * @param event why it is pushed; stands in the push
   */
  broadcastClientList(event?: string): void {
    this.remote.pushClientList(event);
  }

  /**
   * Makes an open socket of any ws server a client: it is welcomed, its messages are routed as those of the module's own
   * path, and its end is noticed. Does nothing when the id or the socket belongs to a client already, or the socket is not
   * open.
   *
   * @throws WsError BAD_MESSAGE for an id that is not a text, for an invalid user, and without a socket: clients of other
   * workers become known by themselves
   */
  addClient({ clientId, ws, lastActivity, user, path }: AddClientOptions): void {
    if (typeof clientId !== 'string' || clientId === '') {
      throw new WsError('BAD_MESSAGE', 'A client id is a text that is not empty.');
    }
    if (typeof (ws as Partial<WebSocket> | null | undefined)?.readyState !== 'number') {
      const why = 'clients of other workers are known here without it, by the registry that the workers share';
      throw new WsError('BAD_MESSAGE', `addClient takes an open socket of ws, not ${kindOf(ws)}: ${why}.`);
    }
    // Compared, not tested for truth: an empty text in place of a user must throw, not become an anonymous client.
    const identity = user === undefined || user === null ? null : toUser(user);
    if (ws.readyState !== OPEN || this.registry.has(clientId) || this.getClientId({ ws }) !== undefined) return;
    this.adoption.adopt({ clientId, ws, user: identity, lastActivity, path });
  }

  /**
   * Closes a client's connection with 4506 and forgets it at once, its rooms included. Another worker's client is closed
   * there, and forgotten once its connection has ended.
   */
  removeClient(clientId: string): void {
    const session = this.registry.get(clientId);
    if (!session) {
      this.remote.disconnect(clientId, CLOSE_CODES.DISCONNECTED.code, CLOSE_CODES.DISCONNECTED.reason);
      return;
    }
    session.close();
    this.registry.unregister(session);
  }

  /** Closes every client of this worker with 1001 and forgets them at once. */
  cleanup(): void {
    for (const session of [...this.registry.values()]) {
      session.ws.close(CLOSE_CODES.GOING_AWAY.code, CLOSE_CODES.GOING_AWAY.reason);
      this.registry.unregister(session, CLOSE_CODES.GOING_AWAY);
    }
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
}
