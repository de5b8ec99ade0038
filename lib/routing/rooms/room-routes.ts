import { Injectable } from '@nestjs/common';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { AckSource, RouteHandler } from '../../clients/session/route.interface.js';
import { WsError } from '../../errors/ws.error.js';
import type { InboundMessage } from '../../protocol/messages.js';
import { RawJson } from '../../protocol/raw-json.js';
import { SYSTEM_TYPE } from '../../protocol/route-key.js';
import { ClientRooms } from '../../rooms/client-rooms.js';
import { isUsername } from '../../rooms/member-details.js';
import { Runtime } from '../../runtime/runtime.js';
import { fieldsOf } from '../message-fields.js';
import type { Router } from '../router.js';
import { RequestedJoins, type Joined, type JoinRequest } from './requested-joins.js';

/** PXL's requests to join and to leave a room: PROTOCOL.md "joinRoom", "leaveRoom". */
@Injectable()
export class RoomRoutes {
  constructor(
    private readonly rooms: ClientRooms,
    private readonly joins: RequestedJoins,
    private readonly runtime: Runtime,
  ) {}

  addTo(router: Router): void {
    const add = (action: string, handle: RouteHandler): void => {
      router.add(SYSTEM_TYPE, action, { source: `system.${action}`, immediate: false, handle });
    };
    add('joinRoom', (session, message, exchange) => this.#join(session, message, exchange));
    add('leaveRoom', (session, { data }) => this.#leave(session, data));
  }

  #join(session: ClientSession, { data, id }: InboundMessage, exchange: AckSource): unknown {
    const { roomName, username, since, history, was, presence, state } = fieldsOf(data);
    this.rooms.check(session, roomName);
    if (!isUsername(username)) {
      throw new WsError('BAD_MESSAGE', 'The username is not a text of at most 128 characters.');
    }
    const joins = this.joins.of(session, id, exchange);
    const joined = joins.join(roomName, { username, since, history, was, presence, state }, true);
    const answer = (one: Joined): unknown => this.#joined(session, { roomName, username }, joins, one);
    return joined instanceof Promise ? joined.then(answer) : answer(joined);
  }

  #joined(
    session: ClientSession,
    { roomName, username }: { roomName: string; username: string | undefined },
    joins: JoinRequest,
    { key, verdict }: Joined,
  ): unknown {
    const members = joins.membersOf(key);
    joins.confirm();
    const { userId, userType } = session.user ?? {};
    // Whole crowds join after a deploy: JSON.stringify of the answer would take eight times as long.
    const who = textOf('userId', userId) + textOf('userType', userType) + textOf('username', username);
    const joined = `${who}${textOf('roomName', roomName)}"joinedAt":"${this.runtime.timestamp()}"`;
    const history = verdict ? `,${JSON.stringify(verdict).slice(1, -1)}` : '';
    const presence = members === undefined ? '' : `,${members}`;
    return new RawJson(`{"success":true,"message":"Joined the room.","data":{${joined}${history}${presence}}}`);
  }

  #leave(session: ClientSession, data: unknown): unknown {
    const { roomName } = fieldsOf(data);
    this.rooms.check(session, roomName);
    const wasMember = this.rooms.leave(session, roomName);
    if (wasMember) session.send({ type: 'user', action: 'leftRoom', data: { roomName } });
    const leftAt = this.runtime.timestamp();
    return { success: true, message: 'Left the room.', data: { roomName, leftAt } };
  }
}

/** A field of a JSON object, with the comma behind it; nothing where it is undefined. */
function textOf(name: string, value: string | undefined): string {
  return value === undefined ? '' : `"${name}":${JSON.stringify(value)},`;
}
