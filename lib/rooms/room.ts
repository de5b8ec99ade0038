import type { ClientSession } from '../clients/session/client-session.js';

/**
 * One room: a set of the ids of its members on all workers, and the clients of this worker among them, to deliver to.
 * Whatever else belongs to a room as a whole is kept here as well.
 */
export class Room extends Set<string> {
  readonly #clients = new Set<ClientSession>();

  get clients(): ReadonlySet<ClientSession> {
    return this.#clients;
  }

  enter(client: ClientSession): void {
    this.add(client.clientId);
    this.#clients.add(client);
  }

  exit(client: ClientSession): void {
    this.delete(client.clientId);
    this.#clients.delete(client);
  }
}
