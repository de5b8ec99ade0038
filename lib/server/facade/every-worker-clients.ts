import type { AddClientOptions, AnyClient, ClientByKey, ClientManager } from '../../clients/client-manager.js';
import type { WsClient } from '../../clients/ws-client.js';
import type { ClientVerbs } from './client-verbs.js';

/** The clients for what runs on every worker: it sees all of the cluster, and does something to this worker's own only. */
export class EveryWorkerClients implements ClientVerbs {
  constructor(private readonly clients: ClientManager) {}

  get size(): number {
    return this.clients.size;
  }

  getClient(query: { clientId: string; requireWs: true }): WsClient | undefined;
  getClient(query: { clientId: string; requireWs?: boolean }): AnyClient | undefined;
  getClient(query: { clientId: string; requireWs?: boolean }): AnyClient | undefined {
    return this.clients.getClient(query);
  }

  getClientId(query: Parameters<ClientVerbs['getClientId']>[0]): string | undefined {
    return this.clients.getClientId(query);
  }

  getClients(query?: { userType?: string }): AnyClient[] {
    return this.clients.getClients(query);
  }

  getClientsByUser(query: { userId: string | number }): AnyClient[] {
    return this.clients.getClientsByUser(query);
  }

  getClientsByRoom(query: { room: string }): AnyClient[] {
    return this.clients.getClientsByRoom(query);
  }

  getClientByKey(query: ClientByKey): AnyClient | undefined {
    return this.clients.getClientByKey(query);
  }

  addClient(client: AddClientOptions): void {
    this.clients.addClient(client);
  }

  updateClient(update: { clientId: string; key: string; data: unknown }): void {
    if (this.clients.local.has(update.clientId)) this.clients.updateClient(update);
  }

  disconnectClient(close: { clientId: string; code?: number; reason?: string }): void {
    if (this.clients.local.has(close.clientId)) this.clients.disconnectClient(close);
  }

  removeClient(clientId: string): void {
    if (this.clients.local.has(clientId)) this.clients.removeClient(clientId);
  }

  broadcastClientList(event?: string): void {
    this.clients.listWanted(event);
  }

  cleanup(): void {
    this.clients.cleanup();
  }
}
