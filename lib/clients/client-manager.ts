import { Injectable } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { WsError } from '../errors/ws.error.js';
import type { WsUser } from '../interfaces/client-entry.interface.js';
import type { WsClient } from './ws-client.js';

/** The registry of connections: by id, by socket and by user, each look-up O(1). */
@Injectable()
export class ClientManager {
  readonly #clients = new Map<string, WsClient>();
  readonly #bySocket = new WeakMap<WebSocket, WsClient>();
  readonly #byUser = new Map<string, Set<WsClient>>();

  /**
   * One client.
   *
   * @param requireWs only a client with an open socket on this worker
   */
  getClient({ clientId, requireWs = false }: { clientId: string; requireWs?: boolean }): WsClient | undefined {
    const client = this.#clients.get(clientId);
    return requireWs && client?.readyState !== 1 ? undefined : client;
  }

  /** The id of the client behind a socket, as gateways get it from ws; undefined when it is not (or no longer) one. */
  getClientId({ ws }: { ws: WebSocket }): string | undefined {
    const client = this.#bySocket.get(ws);
    return client && this.#clients.has(client.clientId) ? client.clientId : undefined;
  }

  /** All clients, or those of one user type, in the order in which they connected. */
  getClients({ userType }: { userType?: string } = {}): WsClient[] {
    const clients = [...this.#clients.values()];
    return userType === undefined ? clients : clients.filter(({ user }) => user?.userType === userType);
  }

  /** The sessions of a user; a number means its decimal string. */
  getClientsByUser({ userId }: { userId: string | number }): WsClient[] {
    return [...(this.#byUser.get(String(userId)) ?? [])];
  }

  /** How many clients are connected to this worker. */
  get size(): number {
    return this.#clients.size;
  }

  /** @internal The clients of this worker, to walk over. */
  get local(): ReadonlyMap<string, WsClient> {
    return this.#clients;
  }

  /** @internal The sessions that a user has on this worker. */
  localOfUser(userId: string): ReadonlySet<WsClient> | undefined {
    return this.#byUser.get(userId);
  }

  /** @internal Takes an accepted client into the registry. */
  register(client: WsClient): void {
    this.#clients.set(client.clientId, client);
    this.#bySocket.set(client.ws, client);
    if (client.user) this.#addSession(client, client.user);
  }

  /**
   * @internal Gives an anonymous client an identity.
   * @throws WsError CONFLICT when the client has another one
   */
  identify(client: WsClient, user: WsUser): void {
    if (!client.user) {
      client.user = user;
      if (this.#clients.has(client.clientId)) this.#addSession(client, user);
      return;
    }
    const { userId, userType } = client.user;
    if (userId !== user.userId || (user.userType !== undefined && user.userType !== userType)) {
      throw new WsError('CONFLICT', 'The client is somebody else.');
    }
  }

  /** @internal Forgets a client whose connection has ended. */
  unregister(client: WsClient): void {
    this.#clients.delete(client.clientId);
    if (!client.user) return;
    const sessions = this.#byUser.get(client.user.userId);
    sessions?.delete(client);
    if (sessions?.size === 0) this.#byUser.delete(client.user.userId);
  }
  #addSession(client: WsClient, { userId }: WsUser): void {
    const sessions = this.#byUser.get(userId);
    if (sessions) sessions.add(client);
    else this.#byUser.set(userId, new Set([client]));
  }
}
