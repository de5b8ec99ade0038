import { Inject, Injectable } from '@nestjs/common';
import type { WsUser } from '../ws-client/client-entry.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { ClientEnd, ClientListener } from './client-listener.interface.js';
import { setMetadata } from './client-metadata.js';
import { checkSame } from './user-identity.js';
import type { WsClient } from './ws-client.js';

/** The clients of this worker, by id and by user. Those of other workers are in the {@link ClientMirror}. */
@Injectable()
export class ClientRegistry {
  readonly #clients = new Map<string, WsClient>();
  readonly #byUser = new Map<string, Set<WsClient>>();
  readonly #listeners: ClientListener[] = [];

  constructor(
    private readonly counters: RefusalCounters,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** How many clients are connected to this worker. */
  get size(): number {
    return this.#clients.size;
  }

  get(clientId: string): WsClient | undefined {
    return this.#clients.get(clientId);
  }

  has(clientId: string): boolean {
    return this.#clients.has(clientId);
  }

  /** Whether this very client is registered, and not gone already. */
  holds(client: WsClient): boolean {
    return this.#clients.get(client.clientId) === client;
  }

  /** All clients, in the order in which they connected. */
  values(): MapIterator<WsClient> {
    return this.#clients.values();
  }

  /** The sessions that a user has on this worker. */
  ofUser(userId: string): ReadonlySet<WsClient> | undefined {
    return this.#byUser.get(userId);
  }

  /** Adds a listener. Listeners are called in the order in which they were added. */
  listen(listener: ClientListener): void {
    this.#listeners.push(listener);
  }

  /** Adds an accepted client. */
  register(client: WsClient): void {
    this.#clients.set(client.clientId, client);
    if (client.user) this.#addSession(client, client.user);
    for (const listener of this.#listeners) listener.registered?.(client);
  }

  /** Removes a client; does nothing when it has been removed before. */
  unregister(client: WsClient, end: ClientEnd = CLOSE_CODES.DISCONNECTED): void {
    if (!this.holds(client)) return;
    this.#clients.delete(client.clientId);
    if (client.user) this.#removeSession(client, client.user);
    for (const listener of this.#listeners) listener.unregistered?.(client, end);
  }

  /**
   * Sets the user of a client from its credentials.
   *
   * @throws WsError CONFLICT when the application has assigned another user before
   */
  identify(client: WsClient, user: WsUser): void {
    if (!client.user) {
      this.#begin(client, user);
      return;
    }
    checkSame(client.user, user);
    this.renew(client, user);
  }

  /**
   * Sets the user that the application names: it fills in what the client's credentials leave open.
   *
   * @throws WsError CONFLICT when the credentials name another user or type
   */
  assign(client: WsClient, user: WsUser): void {
    const known = client.user;
    if (!known) {
      client.assignedType = user.userType;
      this.#begin(client, user);
      return;
    }
    checkSame(known, user);
    // A type that the credentials name belongs to them: newer credentials may take it back.
    if (known.userType !== undefined || user.userType === undefined) return;
    client.assignedType = user.userType;
    this.renew(client, known);
  }

  /** Takes newer credentials of the same user. A type that the application has assigned stays when they name none. */
  renew(client: WsClient, user: WsUser): void {
    const before = client.user;
    client.setUser({ ...user, userType: user.userType ?? client.assignedType });
    if (!before || !this.holds(client)) return;
    for (const listener of this.#listeners) listener.renewed?.(client, before);
  }

  /**
   * Sets one key of a client's metadata to a copy of the value, as JSON carries it.
   *
   * @throws WsError BAD_MESSAGE for a prototype's name, a value without a JSON form, and over `limits.metadataBytes`
   */
  update(client: WsClient, key: string, data: unknown): void {
    const value = setMetadata(client.metadata, key, data, this.options.limits.metadataBytes, this.counters);
    for (const listener of this.#listeners) listener.updated?.(client, key, value);
  }

  #begin(client: WsClient, user: WsUser): void {
    client.setUser(user);
    if (!this.holds(client)) return;
    this.#addSession(client, user);
    for (const listener of this.#listeners) listener.identified?.(client);
  }

  #addSession(client: WsClient, { userId }: WsUser): void {
    const sessions = this.#byUser.get(userId);
    if (sessions) sessions.add(client);
    else this.#byUser.set(userId, new Set([client]));
  }

  #removeSession(client: WsClient, { userId }: WsUser): void {
    const sessions = this.#byUser.get(userId);
    sessions?.delete(client);
    if (sessions?.size === 0) this.#byUser.delete(userId);
  }
}
