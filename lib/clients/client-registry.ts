import { Inject, Injectable } from '@nestjs/common';
import type { WsUser } from '../ws-client/client-entry.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import { Groups, type Few } from '../runtime/few.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { ClientEnd, ClientListener } from './client-listener.interface.js';
import { setMetadata } from './client-metadata.js';
import { checkSame } from './user-identity.js';
import type { ClientSession } from './session/client-session.js';

/** The clients of this worker, by id and by user. Those of other workers are in the {@link ClientMirror}. */
@Injectable()
export class ClientRegistry {
  readonly #clients = new Map<string, ClientSession>();
  readonly #byUser = new Groups<string, ClientSession>();
  readonly #listeners: ClientListener[] = [];

  constructor(
    private readonly counters: RefusalCounters,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** How many clients are connected to this worker. */
  get size(): number {
    return this.#clients.size;
  }

  /** How many users have sessions on this worker. */
  get userCount(): number {
    return this.#byUser.size;
  }

  get(clientId: string): ClientSession | undefined {
    return this.#clients.get(clientId);
  }

  has(clientId: string): boolean {
    return this.#clients.has(clientId);
  }

  /** Whether this very client is registered, and not gone already. */
  holds(session: ClientSession): boolean {
    return this.#clients.get(session.clientId) === session;
  }

  /** All clients, in the order in which they connected. */
  values(): MapIterator<ClientSession> {
    return this.#clients.values();
  }

  /** The sessions that a user has on this worker. */
  ofUser(userId: string): Few<ClientSession> | undefined {
    return this.#byUser.of(userId);
  }

  /** The users with sessions on this worker. */
  userIds(): Iterable<string> {
    return this.#byUser.keys();
  }

  /** Adds a listener. Listeners are called in the order in which they were added. */
  listen(listener: ClientListener): void {
    this.#listeners.push(listener);
  }

  /** Adds an accepted client. */
  register(session: ClientSession): void {
    this.#clients.set(session.clientId, session);
    if (session.user) this.#byUser.add(session.user.userId, session);
    for (const listener of this.#listeners) listener.registered?.(session);
  }

  /** Removes a client; does nothing when it has been removed before. */
  unregister(session: ClientSession, end: ClientEnd = CLOSE_CODES.DISCONNECTED): void {
    if (!this.holds(session)) return;
    this.#clients.delete(session.clientId);
    if (session.user) this.#byUser.delete(session.user.userId, session);
    for (const listener of this.#listeners) listener.unregistered?.(session, end);
  }

  /**
   * Sets the user of a client from its credentials.
   *
   * @throws WsError CONFLICT when the application has assigned another user before
   */
  identify(session: ClientSession, user: WsUser): void {
    if (!session.user) {
      this.#begin(session, user);
      return;
    }
    checkSame(session.user, user);
    this.renew(session, user);
  }

  /**
   * Sets the user that the application names: it fills in what the client's credentials leave open.
   *
   * @throws WsError CONFLICT when the credentials name another user or type
   */
  assign(session: ClientSession, user: WsUser): void {
    const known = session.user;
    if (!known) {
      session.assignedType = user.userType;
      this.#begin(session, user);
      return;
    }
    checkSame(known, user);
    // A type that the credentials name belongs to them: newer credentials may take it back.
    if (known.userType !== undefined || user.userType === undefined) return;
    session.assignedType = user.userType;
    this.renew(session, known);
  }

  /** Takes newer credentials of the same user. A type that the application has assigned stays when they name none. */
  renew(session: ClientSession, user: WsUser): void {
    const before = session.user;
    session.user = { ...user, userType: user.userType ?? session.assignedType };
    if (!before || !this.holds(session)) return;
    for (const listener of this.#listeners) listener.renewed?.(session, before);
  }

  /**
   * Sets one key of a client's metadata to a copy of the value, as JSON carries it.
   *
   * @throws WsError BAD_MESSAGE for a prototype's name, a value without a JSON form, and over `limits.metadataBytes`
   */
  update(session: ClientSession, key: string, data: unknown): void {
    const value = setMetadata(session.metadata, key, data, this.options.limits.metadataBytes, this.counters);
    for (const listener of this.#listeners) listener.updated?.(session, key, value);
  }

  #begin(session: ClientSession, user: WsUser): void {
    session.user = user;
    if (!this.holds(session)) return;
    this.#byUser.add(user.userId, session);
    for (const listener of this.#listeners) listener.identified?.(session);
  }
}
