import { Inject, Injectable } from '@nestjs/common';
import { ClientMirror } from '../../clients/client-mirror.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { AbsentClient } from '../../presence/presence-entry.js';
import { ROOM_PRESENCE, type PresenceListener, type RoomPresence } from '../../presence/room-presence.interface.js';
import { CLUSTER_CLOCK, type ClusterClock } from '../../runtime/cluster-clock.js';
import type { ClientChange } from '../registry/client-record.js';
import { PXL_WS_REGISTRY, type ClusterRegistry, type DescriptionPart } from '../registry/cluster-registry.interface.js';

/**
 * Connects the registry with the presence of rooms: other workers' changes go to presence, and what they have to know of
 * this worker's members to the registry.
 */
@Injectable()
export class PresenceBridge implements PresenceListener {
  constructor(
    @Inject(ROOM_PRESENCE) private readonly presence: RoomPresence,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    @Inject(CLUSTER_CLOCK) private readonly clock: ClusterClock,
    private readonly mirror: ClientMirror,
  ) {}

  get isOn(): boolean {
    return this.presence.isOn;
  }

  /** Until when a client stays in a room that is told to come back within `after` ms; undefined: it does not stay. */
  stays(roomName: string, after: number): number | undefined {
    const grace = this.isOn ? (this.presence.rulesOf(roomName)?.grace ?? 0) : 0;
    return grace > 0 ? this.clock.now() + after + grace : undefined;
  }

  /** Until when a client of this worker stays in a room that it has left; undefined: it is gone. */
  untilOf({ clientId }: ClientSession, roomName: string): number | undefined {
    return this.isOn ? this.presence.untilOf(clientId, roomName) : undefined;
  }

  /** The end of a client of this worker is about to be recorded. */
  disconnected({ clientId }: ClientSession): void {
    const absent = this.isOn ? this.presence.absentOf(clientId) : undefined;
    if (absent) this.registry.keepAbsent(absent);
  }

  /** A change of another worker's client. */
  reflect(change: ClientChange): void {
    if (!this.isOn) return;
    switch (change.kind) {
      case 'connected': {
        const { clientId, user, resume, resumed } = change.record;
        this.presence.connected(clientId, user?.userId, { resume, resumed });
        break;
      }
      case 'identified':
        this.presence.identified(change.clientId, change.user.userId);
        break;
      case 'joined':
      case 'described': {
        const { clientId, membership } = change;
        const { roomName, username, presence = { joinedAt: this.#connectedAt(clientId) } } = membership;
        this.presence.entered(clientId, roomName, username, presence);
        break;
      }
      case 'left':
        this.presence.exited(change.clientId, change.membership.roomName, change.until);
        break;
      case 'disconnected':
        this.presence.disconnected(change.clientId);
        break;
    }
  }

  /** A client that was gone before this worker started. */
  absent(client: AbsentClient): void {
    // It is back where a worker was taken for dead by mistake.
    if (!this.mirror.has(client.clientId)) this.presence.absent(client);
  }

  described({ clientId }: ClientSession, roomName: string, what: DescriptionPart): void {
    this.registry.describe(clientId, roomName, what);
  }

  forgotten(clientId: string): void {
    this.registry.forgetAbsent(clientId);
  }

  /** When a member has come whose worker tells nothing of presence. */
  #connectedAt(clientId: string): number {
    return this.mirror.get(clientId)?.connectedAt ?? this.clock.now();
  }
}
