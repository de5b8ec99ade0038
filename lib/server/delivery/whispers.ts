import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../../clients/session/client-session.js';
import { ROOM_PRESENCE, type RoomPresence } from '../../presence/room-presence.interface.js';
import { WHISPER_TYPE } from '../../protocol/route-key.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { RoomNames } from '../../rooms/room-names.js';
import type { RoomWhispers, Whisper } from '../../rooms/room-whispers.interface.js';
import { Delivery } from './delivery.js';

/** {@link RoomWhispers} by the delivery that all messages have; past the histories, which keep none. */
@Injectable()
export class Whispers implements RoomWhispers {
  readonly #names: RoomNames;

  constructor(
    private readonly delivery: Delivery,
    @Inject(ROOM_PRESENCE) private readonly presence: RoomPresence,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  send(sender: ClientSession, { roomName, action, data }: Whisper): Promise<void> {
    // By the id of the list of members, so that a page finds who it is.
    const from = { clientId: this.presence.memberIdOf(sender, roomName), userId: sender.user?.userId };
    return this.delivery.send({
      target: { kind: 'rooms', roomNames: [roomName] },
      exclude: [sender.clientId],
      isVolatile: true,
      message: { type: WHISPER_TYPE, action, data, room: this.#names.nameOf(roomName), from },
    });
  }
}
