import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import type { ClientEnd, ClientListener } from '../../clients/client-listener.interface.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { WsUser } from '../../ws-client/client-entry.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import type { AbsentClient } from '../../presence/presence-entry.js';
import type { MembershipChange, RoomListener } from '../../rooms/membership.js';
import { RoomNames } from '../../rooms/room-names.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import { clientEventOf } from '../events/client-events.js';
import { ClusterEvents } from '../events/cluster-events.js';
import { describeMembership } from './describe-client.js';
import type { ChangeOfMembership, ClientChange, ClientRecord, SharedMembership } from './client-record.js';
import { PXL_WS_REGISTRY, type ClusterRegistry, type RegistryHost } from './cluster-registry.interface.js';
import { MirrorWriter } from '../mirror/mirror-writer.js';
import { OwnClients } from './own-clients.js';
import { PresenceBridge } from '../presence/presence-bridge.js';
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
  readonly #names: RoomNames;

  constructor(
    private readonly own: OwnClients,
    private readonly mirror: MirrorWriter,
    private readonly presence: PresenceBridge,
    private readonly events: ClusterEvents,
    private readonly identity: WorkerIdentity,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    @Inject(PXL_WS_USER_PRESENCE) private readonly users: UserPresence,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  /** Enters the registry; resolves once the other workers and their clients are known. */
  start(): Promise<void> {
    return this.registry.start(this);
  }

  /** Leaves the registry at once. Bounded, whatever Redis does; does not reject. */
  stop(): Promise<void> {
    return this.registry.stop(this.options.shutdown.reconnectSpread);
  }

  get size(): number {
    return this.own.size;
  }

  get hasPresence(): boolean {
    return this.presence.isOn;
  }

  records(): Iterable<ClientRecord> {
    return this.own.records();
  }

  record(clientId: string): ClientRecord | undefined {
    return this.own.record(clientId);
  }

  membership(clientId: string, roomName: string): SharedMembership | undefined {
    return this.own.membership(clientId, roomName);
  }

  stays(roomName: string, after: number): number | undefined {
    return this.presence.stays(roomName, after);
  }

  absent(client: AbsentClient): void {
    this.presence.absent(client);
  }

  registered(client: ClientSession): void {
    this.#own({ kind: 'connected', record: this.own.recordOf(client) });
    if (client.user) this.users.opened(client.user.userId);
  }

  identified({ clientId, user }: ClientSession): void {
    if (!user) return;
    this.#own({ kind: 'identified', clientId, user: this.own.userOf(user) });
    this.users.opened(user.userId);
  }

  renewed({ clientId, user }: ClientSession, before: WsUser): void {
    const shared = user && this.own.userOf(user);
    if (shared && !isDeepStrictEqual(shared, this.own.userOf(before))) {
      this.#own({ kind: 'identified', clientId, user: shared });
    }
  }

  unregistered(client: ClientSession, { code, reason }: ClientEnd): void {
    const { clientId, user } = client;
    this.presence.disconnected(client);
    this.#own({ kind: 'disconnected', clientId, userId: user?.userId, code, reason });
    if (user) this.users.closed(user.userId);
  }

  updated({ clientId }: ClientSession, key: string, data: unknown): void {
    this.#own({ kind: 'updated', clientId, key, data });
  }

  joined({ client, roomName, username }: MembershipChange): void {
    if (!this.#isAwaited) return;
    const { clientId, user } = client;
    const membership = this.own.begun(client, roomName, username);
    this.#own({ kind: 'joined', clientId, userId: user?.userId, membership });
  }

  left({ client, roomName, username }: MembershipChange): void {
    if (!this.#isAwaited) return;
    const { clientId, user } = client;
    const membership = describeMembership(client, roomName, username);
    const until = this.presence.untilOf(client, roomName);
    this.#own({ kind: 'left', clientId, userId: user?.userId, membership, until });
  }

  changed(workerId: string, change: ClientChange, isLost: boolean): void {
    if (isLost && change.kind === 'left') this.#lose(change);
    if (this.options.cluster.mirror) this.mirror.apply(workerId, change);
    this.presence.reflect(change);
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

  #lose({ clientId, userId, membership }: ChangeOfMembership): void {
    for (const listener of this.#lossListeners) listener.lost({ clientId, userId, ...membership });
  }

  /** Whether anybody learns what changes. */
  get #isAwaited(): boolean {
    return this.registry.isShared || this.events.isHeard;
  }

  #own(change: ClientChange): void {
    this.registry.record(change);
    this.#tell(this.identity.workerId, change, true);
  }

  #tell(workerId: string, change: ClientChange, isResponsible: boolean): void {
    if (!this.events.isHeard) return;
    const event = clientEventOf(workerId, change, this.#names);
    if (event) this.events.tell({ ...event, isResponsible });
  }
}
