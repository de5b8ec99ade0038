import { Injectable } from '@nestjs/common';
import type { WsUser } from '../ws-client/client-entry.js';
import type { RemoteClient } from './remote-client.js';

/** The clients of other workers, by id and by user. Empty in an application of one process. */
@Injectable()
export class ClientMirror {
  readonly #clients = new Map<string, RemoteClient>();
  readonly #byUser = new Map<string, Set<RemoteClient>>();

  get size(): number {
    return this.#clients.size;
  }

  get(clientId: string): RemoteClient | undefined {
    return this.#clients.get(clientId);
  }

  all(): Iterable<RemoteClient> {
    return this.#clients.values();
  }

  ofUser(userId: string): Iterable<RemoteClient> {
    return this.#byUser.get(userId) ?? [];
  }

  add(client: RemoteClient): void {
    this.#clients.set(client.clientId, client);
    if (client.user) this.#addSession(client, client.user);
  }

  identify(client: RemoteClient, user: WsUser): void {
    if (client.user) this.#removeSession(client, client.user);
    client.user = user;
    this.#addSession(client, user);
  }

  remove(client: RemoteClient): void {
    this.#clients.delete(client.clientId);
    if (client.user) this.#removeSession(client, client.user);
  }

  #addSession(client: RemoteClient, { userId }: WsUser): void {
    const sessions = this.#byUser.get(userId);
    if (sessions) sessions.add(client);
    else this.#byUser.set(userId, new Set([client]));
  }

  #removeSession(client: RemoteClient, { userId }: WsUser): void {
    const sessions = this.#byUser.get(userId);
    sessions?.delete(client);
    if (sessions?.size === 0) this.#byUser.delete(userId);
  }
}
