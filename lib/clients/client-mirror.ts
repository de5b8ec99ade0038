import { Injectable } from '@nestjs/common';
import type { WsUser } from '../ws-client/client-entry.js';
import type { MirroredClient } from './remote-client.js';

/** The clients of other workers, by id and by user. Empty in an application of one process. */
@Injectable()
export class ClientMirror {
  readonly #clients = new Map<string, MirroredClient>();
  readonly #byUser = new Map<string, Set<MirroredClient>>();
  readonly #listeners: ((event: string) => void)[] = [];

  get size(): number {
    return this.#clients.size;
  }

  get(clientId: string): MirroredClient | undefined {
    return this.#clients.get(clientId);
  }

  has(clientId: string): boolean {
    return this.#clients.has(clientId);
  }

  all(): Iterable<MirroredClient> {
    return this.#clients.values();
  }

  ofUser(userId: string): Iterable<MirroredClient> {
    return this.#byUser.get(userId) ?? [];
  }

  add(client: MirroredClient): void {
    this.#clients.set(client.clientId, client);
    if (client.user) this.#addSession(client, client.user);
  }

  identify(client: MirroredClient, user: WsUser): void {
    if (client.user) this.#removeSession(client, client.user);
    client.user = user;
    this.#addSession(client, user);
  }

  remove(client: MirroredClient): void {
    this.#clients.delete(client.clientId);
    if (client.user) this.#removeSession(client, client.user);
  }

  /** Calls `listener` after each change of a client or of its rooms, with the name of the change. */
  listen(listener: (event: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Tells the listeners of a change. */
  changed(event: string): void {
    for (const listener of this.#listeners) listener(event);
  }

  #addSession(client: MirroredClient, { userId }: WsUser): void {
    const sessions = this.#byUser.get(userId);
    if (sessions) sessions.add(client);
    else this.#byUser.set(userId, new Set([client]));
  }

  #removeSession(client: MirroredClient, { userId }: WsUser): void {
    const sessions = this.#byUser.get(userId);
    sessions?.delete(client);
    if (sessions?.size === 0) this.#byUser.delete(userId);
  }
}
