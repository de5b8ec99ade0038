import { Injectable } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { AnyClient } from '../../clients/remote-client.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import type { WsClient } from '../../ws-client/ws-client.js';
import { ClientListPushes } from '../delivery/client-list-pushes.js';
import { ClientManager, type AddClientOptions, type ClientByKey } from './client-manager.js';

/** What {@link ClientManager} does; a subscriber gets it as `webSocketServer.clientManager`. */
export type ClientVerbs = Pick<ClientManager, keyof ClientManager>;

/** The clients for a subscriber that runs on every worker: it sees all clients, and its verbs change this worker's only. */
@Injectable()
export class EveryWorkerClients implements ClientVerbs {
  constructor(
    private readonly manager: ClientManager,
    private readonly registry: ClientRegistry,
    private readonly listPushes: ClientListPushes,
  ) {}

  get size(): number {
    return this.manager.size;
  }

  getClient(query: { clientId: string; requireWs: true }): WsClient | undefined;
  getClient(query: { clientId: string; requireWs?: boolean }): AnyClient | undefined;
  getClient(query: { clientId: string; requireWs?: boolean }): AnyClient | undefined {
    return this.manager.getClient(query);
  }

  getClientId(query: { ws: WebSocket }): string | undefined {
    return this.manager.getClientId(query);
  }

  getClients(query?: { userType?: string }): AnyClient[] {
    return this.manager.getClients(query);
  }

  getClientsByUser(query: { userId: string | number }): AnyClient[] {
    return this.manager.getClientsByUser(query);
  }

  getClientsByRoom(query: WsNamespaced & { room: string }): AnyClient[] {
    return this.manager.getClientsByRoom(query);
  }

  getClientByKey(query: ClientByKey): AnyClient | undefined {
    return this.manager.getClientByKey(query);
  }

  addClient(client: AddClientOptions): void {
    this.manager.addClient(client);
  }

  updateClient(update: { clientId: string; key: string; data: unknown }): void {
    if (this.registry.has(update.clientId)) this.manager.updateClient(update);
  }

  disconnectClient(close: { clientId: string; code?: number; reason?: string }): void {
    if (this.registry.has(close.clientId)) this.manager.disconnectClient(close);
  }

  removeClient(clientId: string): void {
    if (this.registry.has(clientId)) this.manager.removeClient(clientId);
  }

  broadcastClientList(event?: string): void {
    this.listPushes.request(event);
  }

  cleanup(): void {
    this.manager.cleanup();
  }
}
