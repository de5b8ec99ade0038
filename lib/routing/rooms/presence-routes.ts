import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { AckSource, RouteHandler } from '../../clients/session/route.interface.js';
import { WsError } from '../../errors/ws.error.js';
import { PresenceAudience } from '../../presence/presence-audience.js';
import { ROOM_PRESENCE, type PresentMember, type RoomPresence } from '../../presence/room-presence.interface.js';
import type { WsMember } from '../../protocol/presence.js';
import { RawJson } from '../../protocol/raw-json.js';
import { SYSTEM_TYPE } from '../../protocol/route-key.js';
import { ClientRooms } from '../../rooms/client-rooms.js';
import { fieldsOf } from '../message-fields.js';
import type { Router } from '../router.js';
import { firstWithin } from './first-within.js';
import { isWhole } from './replay-fields.js';

type Fields = Readonly<Record<string, unknown>>;

/** The requests about who is in a room: PROTOCOL.md "Presence". */
@Injectable()
export class PresenceRoutes {
  constructor(
    @Inject(ROOM_PRESENCE) private readonly presence: RoomPresence,
    private readonly audience: PresenceAudience,
    private readonly rooms: ClientRooms,
  ) {}

  addTo(router: Router): void {
    const add = (action: string, handle: RouteHandler): void => {
      router.add(SYSTEM_TYPE, action, { source: `system.${action}`, immediate: false, handle });
    };
    add('members', (session, { data }, exchange) => this.#members(session, fieldsOf(data), exchange));
    add('presence', (session, { data }) => this.#setState(session, fieldsOf(data)));
  }

  #members(session: ClientSession, { roomName: name, presence, limit, after }: Fields, exchange: AckSource): unknown {
    const { roomName, most } = this.#checkRoom(session, name);
    if (presence !== undefined && typeof presence !== 'boolean') throw bad('presence is neither true nor false');
    if (presence === false) this.audience.remove(session, roomName);
    if (presence === true) {
      if (limit !== undefined || after !== undefined)
        throw bad('limit and after are not for a list that is kept up to date');
      return new RawJson(`{${this.audience.add(session, roomName, exchange) ?? NOBODY}}`);
    }
    if (limit !== undefined && !isWhole(limit, 1, most)) throw bad(`limit is not a whole number from 1 to ${most}`);
    if (after !== undefined && typeof after !== 'string') throw bad("after is not a member's id");
    const page = this.presence.members(roomName, { limit: limit ?? most, after });
    const found = page.members.map(shown);
    const { maxPushBytes } = session.options.limits;
    const members = maxPushBytes === false ? found : firstWithin(maxPushBytes - PAGE_FRAME, found, bytesOf);
    const isPartial = page.more || members.length < found.length;
    return { members, count: this.presence.count(roomName), partial: isPartial || undefined };
  }

  #setState(session: ClientSession, { roomName: name, state }: Fields): unknown {
    const { roomName } = this.#checkRoom(session, name);
    if (state === undefined) throw bad('There is no state; null removes it');
    this.presence.setState(session, roomName, state);
    return { success: true };
  }

  /** @throws WsError INVALID_ROOM; FORBIDDEN for a room that the client is not in; NOT_FOUND for one without presence */
  #checkRoom(session: ClientSession, name: unknown): { roomName: string; most: number } {
    this.rooms.check(session, name);
    const roomName = this.rooms.keyOf(session, name);
    if (!session.rooms.has(roomName)) throw new WsError('FORBIDDEN', 'Only members see who is in a room.');
    const rules = this.presence.rulesOf(roomName);
    if (!rules) throw new WsError('NOT_FOUND', 'The room has no presence.');
    return { roomName, most: rules.limit };
  }
}

/** Bytes of a page around its members: `{"type":"system","action":"members","id":…,"response":…,"count":…,"partial":true}`. */
const PAGE_FRAME = 256;

const NOBODY = '"members":[],"count":0';

/** What other members see of a member: not the ids of a user's connections. */
function shown({ userId, clientId, clients, username, profile, state, joinedAt }: PresentMember): WsMember {
  return { userId, clientId, clients, username, profile, state, joinedAt };
}

function bytesOf(member: WsMember): number {
  return Buffer.byteLength(JSON.stringify(member)) + 1;
}

function bad(what: string): WsError {
  return new WsError('BAD_MESSAGE', `${what}.`);
}
