import { Injectable } from '@nestjs/common';
import { Groups, NONE } from '../runtime/few.js';
import type { WsUser } from '../ws-client/client-entry.js';
import type { MirroredClient } from './remote-client.js';

/** The clients of other workers, by id and by user. Empty in an application of one process. */
@Injectable()
export class ClientMirror {
  readonly #clients = new Map<string, MirroredClient>();
  readonly #byUser = new Groups<string, MirroredClient>();
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
    return this.#byUser.of(userId) ?? NONE;
  }

  add(client: MirroredClient): void {
    this.#clients.set(client.clientId, client);
    if (client.user) this.#byUser.add(client.user.userId, client);
  }

  identify(client: MirroredClient, user: WsUser): void {
    if (client.user) this.#byUser.delete(client.user.userId, client);
    client.user = user;
    this.#byUser.add(user.userId, client);
  }

  remove(client: MirroredClient): void {
    this.#clients.delete(client.clientId);
    if (client.user) this.#byUser.delete(client.user.userId, client);
  }

  /** Calls `listener` after each change of a client or of its rooms, with the name of the change. */
  listen(listener: (event: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Tells the listeners of a change. */
  changed(event: string): void {
    for (const listener of this.#listeners) listener(event);
  }
}
