import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import type { ClientEnd, ClientListener } from '../../clients/client-listener.interface.js';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { WsUser } from '../../ws-client/client-entry.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import type { MembershipChange, RoomListener } from '../../rooms/membership.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import { clientEventOf } from '../events/client-events.js';
import { ClusterEvents } from '../events/cluster-events.js';
import { sharedUser } from '../../ws-client/client-json.js';
import { describeClient, describeMembership } from './describe-client.js';
import type { ChangeOfMembership, ClientChange, ClientRecord, SharedMembership, SharedUser } from './client-record.js';
import { PXL_WS_REGISTRY, type ClusterRegistry, type RegistryHost } from './cluster-registry.interface.js';
import { MirrorWriter } from './mirror-writer.js';
import { PXL_WS_USER_PRESENCE, type UserPresence } from '../users/user-presence.interface.js';

/** A member of a room whose worker has died. */
export interface LostMember extends SharedMembership {
  readonly clientId: string;
  readonly userId?: string | undefined;
}

/** Hears of members whose joins and leaves their own worker could not announce. */
export interface LossListener {
  lost(member: LostMember): void;
  /** The other workers had declared this worker dead, and its members lost. */
  returned(): void;
}

/**
 * Connects this worker's clients with the registry: changes of its own clients go to the registry, changes of other workers'
 * clients to the mirror, and both to the listeners of cluster events.
 */
@Injectable()
export class RegistryBridge implements RegistryHost, ClientListener, RoomListener {
  readonly #lossListeners: LossListener[] = [];

  constructor(
    private readonly clients: ClientRegistry,
    private readonly rooms: RoomRegistry,
    private readonly mirror: MirrorWriter,
    private readonly events: ClusterEvents,
    private readonly identity: WorkerIdentity,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    @Inject(PXL_WS_USER_PRESENCE) private readonly users: UserPresence,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Enters the registry; resolves once the other workers and their clients are known. */
  start(): Promise<void> {
    return this.registry.start(this);
  }

  /** Leaves the registry at once. Bounded, whatever Redis does; does not reject. */
  stop(): Promise<void> {
    return this.registry.stop();
  }

  get size(): number {
    return this.clients.size;
  }

  *records(): Iterable<ClientRecord> {
    for (const client of this.clients.values()) yield this.recordOf(client);
  }

  record(clientId: string): ClientRecord | undefined {
    const client = this.clients.get(clientId);
    return client && this.recordOf(client);
  }

  registered(client: ClientSession): void {
    this.#own({ kind: 'connected', record: this.recordOf(client) });
    if (client.user) this.users.opened(client.user.userId);
  }

  identified({ clientId, user }: ClientSession): void {
    if (!user) return;
    this.#own({ kind: 'identified', clientId, user: this.#shared(user) });
    this.users.opened(user.userId);
  }

  renewed({ clientId, user }: ClientSession, before: WsUser): void {
    const shared = user && this.#shared(user);
    if (shared && !isDeepStrictEqual(shared, this.#shared(before))) {
      this.#own({ kind: 'identified', clientId, user: shared });
    }
  }

  unregistered({ clientId, user }: ClientSession, { code, reason }: ClientEnd): void {
    this.#own({ kind: 'disconnected', clientId, userId: user?.userId, code, reason });
    if (user) this.users.closed(user.userId);
  }

  updated({ clientId }: ClientSession, key: string, data: unknown): void {
    this.#own({ kind: 'updated', clientId, key, data });
  }

  joined(membership: MembershipChange): void {
    this.#own({ kind: 'joined', ...changeOf(membership) });
  }

  left(membership: MembershipChange): void {
    this.#own({ kind: 'left', ...changeOf(membership) });
  }

  changed(workerId: string, change: ClientChange, isLost: boolean): void {
    if (isLost && change.kind === 'left') this.#lose(change);
    if (this.options.cluster.mirror) this.mirror.apply(workerId, change);
    // Of a dead worker's events exactly one of the others is responsible.
    this.#tell(workerId, change, isLost && this.events.isFirst);
  }

  returned(): void {
    for (const listener of this.#lossListeners) listener.returned();
  }

  /** Tells `listener` of the members that are lost with their worker. */
  listenToLosses(listener: LossListener): void {
    this.#lossListeners.push(listener);
  }

  #shared(user: WsUser): SharedUser {
    return sharedUser(user, this.options.cluster.shareUser);
  }

  #lose({ clientId, userId, membership }: ChangeOfMembership): void {
    for (const listener of this.#lossListeners) listener.lost({ clientId, userId, ...membership });
  }

  #own(change: ClientChange): void {
    this.registry.record(change);
    this.#tell(this.identity.workerId, change, true);
  }

  #tell(workerId: string, change: ClientChange, isResponsible: boolean): void {
    if (!this.events.isHeard) return;
    const event = clientEventOf(workerId, change);
    if (event) this.events.tell({ ...event, isResponsible });
  }

  /** The record of a client that is shared with other workers. */
  recordOf(client: ClientSession): ClientRecord {
    const usernameIn = (roomName: string): string | undefined => this.rooms.usernameIn(client, roomName);
    return describeClient(client, this.options.cluster.shareUser, usernameIn);
  }
}

function changeOf({ client, roomName, username }: MembershipChange): ChangeOfMembership {
  const { clientId, user } = client;
  return { clientId, userId: user?.userId, membership: describeMembership(client, roomName, username) };
}
