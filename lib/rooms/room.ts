import type { WsClient } from '../clients/ws-client.js';

/** One room: the set of its members' ids on all workers for readers, and the clients of this worker for the fan-out. */
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
