import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import type { ClientEnd, ClientListener } from '../../clients/client-listener.interface.js';
import { ClientManager } from '../../clients/client-manager.js';
import { ClientMirror } from '../../clients/client-mirror.js';
import { RemoteClient } from '../../clients/remote-client.js';
import { UnsharedClaims } from '../../clients/unshared-claims.js';
import type { WsClient } from '../../clients/ws-client.js';
import type { WsUser } from '../../ws-client/client-entry.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import type { Membership, RoomListener } from '../../rooms/room-listener.interface.js';
import { RoomManager } from '../../rooms/room-manager.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import { clientEventOf } from '../events/client-events.js';
import { ClusterEvents } from '../events/cluster-events.js';
import { sharedUser } from '../../ws-client/client-json.js';
import { describeClient, describeMembership } from './describe-client.js';
import type { ChangeOfMembership, ClientChange, ClientRecord, SharedMembership, SharedUser } from './client-record.js';
import { PXL_WS_REGISTRY, type ClusterRegistry, type RegistryHost } from './cluster-registry.interface.js';
import { PXL_WS_USER_PRESENCE, type UserPresence } from '../users/user-presence.interface.js';

/** A member of a room whose worker is no more. */
export interface LostMember extends SharedMembership {
  readonly clientId: string;
  readonly userId?: string | undefined;
}

/** Hears of members that come and go without a word of their worker. */
export interface LossListener {
  lost(member: LostMember): void;
  /** The other workers had taken this one for dead, and the members that it has for lost. */
  returned(): void;
}

/**
 * What the workers know of each other's clients: this one's changes go to the registry, those of others into the mirror,
 * and all of them to the listeners of cluster events.
 */
@Injectable()
export class RegistryBridge implements RegistryHost, ClientListener, RoomListener {
  #losses: LossListener | null = null;

  constructor(
    private readonly clients: ClientManager,
    private readonly rooms: RoomManager,
    private readonly mirror: ClientMirror,
    private readonly claims: UnsharedClaims,
    private readonly events: ClusterEvents,
    private readonly identity: WorkerIdentity,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    @Inject(PXL_WS_USER_PRESENCE) private readonly users: UserPresence,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    clients.listen(this);
    rooms.listen(this);
  }

  /** Enters the registry; resolves once the view of the other workers is complete. */
  start(): Promise<void> {
    return this.registry.start(this);
  }

  get size(): number {
    return this.clients.size;
  }

  *records(): Iterable<ClientRecord> {
    for (const client of this.clients.local.values()) yield this.recordOf(client);
  }

  record(clientId: string): ClientRecord | undefined {
    const client = this.clients.local.get(clientId);
    return client && this.recordOf(client);
  }

  registered(client: WsClient): void {
    this.#own({ kind: 'connected', record: this.recordOf(client) });
    if (client.user) this.users.opened(client.user.userId);
  }

  identified({ clientId, user }: WsClient): void {
    if (!user) return;
    this.#own({ kind: 'identified', clientId, user: this.#shared(user) });
    this.users.opened(user.userId);
  }

  renewed({ clientId, user }: WsClient, before: WsUser): void {
    const shared = user && this.#shared(user);
    if (shared && !isDeepStrictEqual(shared, this.#shared(before))) {
      this.#own({ kind: 'identified', clientId, user: shared });
    }
  }

  unregistered({ clientId, user }: WsClient, { code, reason }: ClientEnd): void {
    this.#own({ kind: 'disconnected', clientId, userId: user?.userId, code, reason });
    if (user) this.users.closed(user.userId);
  }

  updated({ clientId }: WsClient, key: string, data: unknown): void {
    this.#own({ kind: 'updated', clientId, key, data });
  }

  joined(membership: Membership): void {
    this.#own({ kind: 'joined', ...changeOf(membership) });
  }

  left(membership: Membership): void {
    this.#own({ kind: 'left', ...changeOf(membership) });
  }

  /** A change of another worker's client. */
  changed(workerId: string, change: ClientChange, isLost: boolean): void {
    if (isLost && change.kind === 'left') this.#lose(change);
    if (this.options.cluster.mirror) this.#reflect(workerId, change);
    // A worker that died tells nobody itself: one of the others acts for it.
    this.#tell(workerId, change, isLost && this.events.isFirst);
  }

  returned(): void {
    this.#losses?.returned();
  }

  /** Whom to tell of members that are lost with their worker. */
  tellLosses(listener: LossListener): void {
    this.#losses = listener;
  }

  #shared(user: WsUser): SharedUser {
    return sharedUser(user, this.options.cluster.shareUser);
  }

  #lose({ clientId, userId, membership }: ChangeOfMembership): void {
    this.#losses?.lost({ clientId, userId, ...membership });
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

  #reflect(workerId: string, change: ClientChange): void {
    if (change.kind === 'connected') this.#add(workerId, change.record);
    else {
      const client = this.mirror.get(change.clientId);
      if (client) this.#change(client, change);
    }
    this.clients.listWanted(clientEventOf(workerId, change)?.channel ?? 'clientUpdated');
  }

  #add(workerId: string, { clientId, connectedAt, user: shared, metadata, rooms }: ClientRecord): void {
    const user = shared && this.claims.watch(shared);
    const client = new RemoteClient({ clientId, workerId, connectedAt, user, metadata: { ...metadata } });
    this.mirror.add(client);
    for (const { roomName, username } of rooms) this.rooms.enterRemote(client, roomName, username);
  }

  #change(client: RemoteClient, change: Exclude<ClientChange, { kind: 'connected' }>): void {
    switch (change.kind) {
      case 'disconnected':
        for (const roomName of [...client.rooms]) this.rooms.exitRemote(client, roomName);
        this.mirror.remove(client);
        break;
      case 'identified':
        this.mirror.identify(client, this.claims.watch(change.user));
        break;
      case 'joined':
        this.rooms.enterRemote(client, change.membership.roomName, change.membership.username);
        break;
      case 'left':
        this.rooms.exitRemote(client, change.membership.roomName);
        break;
      case 'updated':
        Object.assign(client.metadata, { [change.key]: change.data });
        break;
    }
  }

  /** What other workers are told of a client. */
  recordOf(client: WsClient): ClientRecord {
    const usernameIn = (roomName: string): string | undefined => this.rooms.usernameIn(client, roomName);
    return describeClient(client, this.options.cluster.shareUser, usernameIn);
  }
}

function changeOf({ client, roomName, username }: Membership): ChangeOfMembership {
  const { clientId, user } = client;
  return { clientId, userId: user?.userId, membership: describeMembership(client, roomName, username) };
}
