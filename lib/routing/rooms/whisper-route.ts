import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { RouteHandler } from '../../clients/session/route.interface.js';
import { WsError } from '../../errors/ws.error.js';
import { isName } from '../../protocol/frame-fields.js';
import { MAX_NAME_LENGTH, SYSTEM_TYPE } from '../../protocol/route-key.js';
import { ClientRooms } from '../../rooms/client-rooms.js';
import { RoomRules } from '../../rooms/room-rules.js';
import { ROOM_WHISPERS, type RoomWhispers } from '../../rooms/room-whispers.interface.js';
import { fieldsOf } from '../message-fields.js';
import type { Router } from '../router.js';

const ACTION = 'whisper';

/** The request by which a member speaks to the other members of a room: PROTOCOL.md "whisper". */
@Injectable()
export class WhisperRoute {
  constructor(
    private readonly rooms: ClientRooms,
    private readonly rules: RoomRules,
    @Inject(ROOM_WHISPERS) private readonly whispers: RoomWhispers,
  ) {}

  addTo(router: Router): void {
    const handle: RouteHandler = (session, { data }) => this.#whisper(session, data);
    const source = `${SYSTEM_TYPE}.${ACTION}`;
    router.add(SYSTEM_TYPE, ACTION, { source, immediate: false, handle, answersToIdsOnly: true });
  }

  async #whisper(session: ClientSession, fields: unknown): Promise<unknown> {
    const { roomName: name, action, data } = fieldsOf(fields);
    this.rooms.check(session, name);
    if (!isName(action)) {
      throw new WsError('BAD_MESSAGE', `The action is not a text of 1 to ${MAX_NAME_LENGTH} characters.`);
    }
    const roomName = this.rooms.keyOf(session, name);
    if (!session.rooms.has(roomName)) throw new WsError('FORBIDDEN', 'Only members can whisper in a room.');
    this.rules.checkWhisper(session, roomName);
    await this.whispers.send(session, { roomName, action, data });
    return { success: true };
  }
}
