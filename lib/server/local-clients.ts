import type { AddClientOptions, ClientByKey, ClientManager } from '../clients/client-manager.js';
import type { WsClient } from '../clients/ws-client.js';
import type { RoomManager } from '../rooms/room-manager.js';
import type { ClientVerbs } from './client-verbs.js';

/** The clients of this worker. One of another worker is unknown here, and what is done to it does nothing. */
export class LocalClients implements ClientVerbs {
  constructor(
    private readonly clients: ClientManager,
    private readonly rooms: RoomManager,
  ) {}

  get size(): number {
    return this.clients.size;
  }

  getClient({ clientId, requireWs = false }: { clientId: string; requireWs?: boolean }): WsClient | undefined {
    return requireWs ? this.clients.getClient({ clientId, requireWs }) : this.clients.local.get(clientId);
  }

  getClientId(query: Parameters<ClientVerbs['getClientId']>[0]): string | undefined {
    return this.clients.getClientId(query);
  }

  getClients(query?: { userType?: string }): WsClient[] {
    return this.clients.getLocalClients(query);
  }

  getClientsByUser({ userId }: { userId: string | number }): WsClient[] {
    return [...(this.clients.localOfUser(String(userId)) ?? [])];
  }

  getClientsByRoom({ room }: { room: string }): WsClient[] {
    return [...(this.rooms.localOf(room) ?? [])];
  }

  getClientByKey(query: ClientByKey): WsClient | undefined {
    // This worker's clients are looked at first, so that whatever is found behind them says that none of them fits.
    const clientId = this.clients.findByKey(query)?.clientId;
    return clientId === undefined ? undefined : this.clients.local.get(clientId);
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
