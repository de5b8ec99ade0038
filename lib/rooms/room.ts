import type { WsClient } from '../clients/ws-client.js';

/**
 * One room: a set of the ids of its members on all workers, and the clients of this worker among them, to deliver to.
 * Whatever else belongs to a room as a whole is kept here as well.
 */
export class Room extends Set<string> {
  readonly #clients = new Set<WsClient>();

  get clients(): ReadonlySet<WsClient> {
    return this.#clients;
  }

  enter(client: WsClient): void {
    this.add(client.clientId);
    this.#clients.add(client);
  }

  exit(client: WsClient): void {
    this.delete(client.clientId);
    this.#clients.delete(client);
  }
}
