import { Inject, Injectable } from '@nestjs/common';
import type { WsClient } from '../clients/ws-client.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { RoomManager, type MemberLabel, type RoomListener } from '../rooms/room-manager.js';
import { Delivery } from './delivery.js';

/** With `rooms.announce`: tells the members of a room who joins and who leaves. */
@Injectable()
export class MemberAnnouncements implements RoomListener {
  constructor(
    private readonly delivery: Delivery,
    private readonly errors: ErrorReporter,
    rooms: RoomManager,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    if (options.rooms.announce) rooms.listen(this);
  }

  joined(client: WsClient, roomName: string, label: MemberLabel): void {
    this.#announce('memberJoined', client, roomName, label);
  }

  left(client: WsClient, roomName: string, label: MemberLabel): void {
    this.#announce('memberLeft', client, roomName, label);
  }

  #announce(action: string, { clientId, user }: WsClient, roomName: string, { username }: MemberLabel): void {
    const data = { roomName, member: { clientId, userId: user?.userId, username } };
    this.delivery
      .send({
        target: { kind: 'rooms', roomNames: [roomName] },
        exclude: [clientId],
        message: { type: 'room', action, data },
      })
      .catch((error: unknown) => this.errors.report('A membership was not announced to other workers.', error));
  }
}
