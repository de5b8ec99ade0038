import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { LossListener, LostMember } from '../../cluster/registry/registry-bridge.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import type { Membership, MembershipChange, RoomListener } from '../../rooms/membership.js';
import { RoomNames } from '../../rooms/room-names.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { Delivery, type Mailing } from './delivery.js';

type Action = 'memberJoined' | 'memberLeft';

/** A member as the other members see it. */
type Member = Pick<LostMember, 'clientId' | 'userId' | 'username'> & Partial<Pick<Membership, 'profile'>>;

/**
 * With `rooms.announce`: tells the members of a room when a member joins or leaves. When a worker dies, each of the others
 * tells its own clients that the dead worker's members have left. If that worker lives after all, it announces them again.
 */
@Injectable()
export class MemberAnnouncements implements RoomListener, LossListener {
  readonly #names: RoomNames;

  constructor(
    private readonly delivery: Delivery,
    private readonly errors: ErrorReporter,
    private readonly clients: ClientRegistry,
    private readonly rooms: RoomRegistry,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  joined(membership: MembershipChange): void {
    this.#announce('memberJoined', membership);
  }

  left(membership: MembershipChange): void {
    this.#announce('memberLeft', membership);
  }

  lost({ roomName, isAnnounced, ...member }: LostMember): void {
    if (!isAnnounced) return;
    try {
      this.delivery.deliver(this.#announcement('memberLeft', roomName, member));
    } catch (error) {
      this.#report(error);
    }
  }

  returned(): void {
    this.#announceAll().catch((error: unknown) => this.#report(error));
  }

  async #announceAll(): Promise<void> {
    for (const client of [...this.clients.values()]) {
      if (!client.options.rooms.announce) continue;
      for (const membership of this.rooms.membershipsOf(client)) {
        await this.delivery.sendToOthers(this.#announcementOf('memberJoined', membership));
      }
    }
  }

  #announce(action: Action, membership: Membership): void {
    if (!membership.client.options.rooms.announce) return;
    this.#send(this.#announcementOf(action, membership)).catch((error: unknown) => this.#report(error));
  }

  /** Never throws at the call, as the delivery does for a profile that is too large for `limits.maxPushBytes`. */
  async #send(mailing: Mailing): Promise<void> {
    await this.delivery.send(mailing);
  }

  #report(error: unknown): void {
    this.errors.report('A membership was not announced.', error);
  }

  #announcementOf(action: Action, { client, roomName, ...of }: Membership): Mailing {
    const { clientId, user } = client;
    return this.#announcement(action, roomName, { clientId, userId: user?.userId, ...of });
  }

  #announcement(action: Action, key: string, member: Member): Mailing {
    const { clientId, userId, username, profile } = member;
    const data = { roomName: this.#names.nameOf(key), member: { clientId, userId, username, profile } };
    return {
      target: { kind: 'rooms', roomNames: [key] },
      exclude: [clientId],
      message: { type: 'room', action, data },
    };
  }
}
