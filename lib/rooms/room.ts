import type { ClientSession } from '../clients/session/client-session.js';
import { has, NONE, sizeOf, withItem, withoutItem, type Few } from '../runtime/few.js';

/**
 * One room: the clients of this worker in it, to deliver to, and the ids of its members on all workers. Whatever else belongs
 * to a room as a whole is kept here as well.
 */
export class Room {
  #clients: Few<ClientSession> = NONE;
  /** The members' ids, in the order in which they came; null while they are just those of the clients. */
  #ids: Few<string> | null = null;

  constructor(readonly name: string) {}

  /** The members on this worker. */
  get clients(): Few<ClientSession> {
    return this.#clients;
  }

  get size(): number {
    return sizeOf(this.#ids ?? this.#clients);
  }

  /** The ids of the members on all workers, at present. */
  get ids(): Iterable<string> {
    return this.#ids ?? Array.from(this.#clients, ({ clientId }) => clientId);
  }

  /** The same as a set that goes with the room; it stays in memory as long as the room does. */
  get idSet(): ReadonlySet<string> {
    if (this.#ids instanceof Set) return this.#ids;
    const ids = new Set(this.ids);
    this.#ids = ids;
    return ids;
  }

  has(clientId: string): boolean {
    const ids = this.#ids;
    if (ids) return has(ids, clientId);
    const clients = this.#clients;
    return clients instanceof Set ? this.idSet.has(clientId) : clients.some((client) => client.clientId === clientId);
  }

  /** A client of this worker comes. */
  enter(client: ClientSession): void {
    this.#clients = withItem(this.#clients, client);
    if (this.#ids) this.#ids = withItem(this.#ids, client.clientId);
  }

  exit(client: ClientSession): void {
    this.#clients = withoutItem(this.#clients, client);
    if (this.#ids) this.#ids = withoutItem(this.#ids, client.clientId);
  }

  /** A client of another worker comes. */
  add(clientId: string): void {
    this.#ids = withItem(this.#ids ?? (sizeOf(this.#clients) > 0 ? [...this.ids] : NONE), clientId);
  }

  delete(clientId: string): void {
    if (this.#ids) this.#ids = withoutItem(this.#ids, clientId);
  }
}
