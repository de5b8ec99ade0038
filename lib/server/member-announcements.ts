import { Injectable } from '@nestjs/common';
import { ErrorReporter } from '../errors/error-reporter.js';
import type { Membership, RoomListener } from '../rooms/room-listener.interface.js';
import { RoomManager } from '../rooms/room-manager.js';
import { Delivery } from './delivery.js';

/** With `rooms.announce`: tells the members of a room who joins and who leaves. */
@Injectable()
export class MemberAnnouncements implements RoomListener {
  constructor(
    private readonly delivery: Delivery,
    private readonly errors: ErrorReporter,
    rooms: RoomManager,
  ) {
    rooms.listen(this);
  }

  joined(membership: Membership): void {
    this.#announce('memberJoined', membership);
  }

  left(membership: Membership): void {
    this.#announce('memberLeft', membership);
  }

  #announce(action: string, { client, ...of }: Membership): void {
    if (!client.options.rooms.announce) return;
    const { clientId, user } = client;
    const { roomName, username, profile } = of;
    const data = { roomName, member: { clientId, userId: user?.userId, username, profile } };
    this.delivery
      .send({
        target: { kind: 'rooms', roomNames: [roomName] },
        exclude: [clientId],
        message: { type: 'room', action, data },
      })
      .catch((error: unknown) => this.errors.report('A membership was not announced to other workers.', error));
  }
}
