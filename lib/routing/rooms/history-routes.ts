import { Inject, Injectable } from '@nestjs/common';
import { encodeMessage } from '../../clients/encode-message.js';
import { KEPT_MARKS } from '../../clients/outbound-message.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { AckSource, RouteHandler } from '../../clients/session/route.interface.js';
import { WsError } from '../../errors/ws.error.js';
import { ROOM_HISTORY, type MemberRange, type RoomHistory } from '../../history/room-history.interface.js';
import type { WsHistoryEntry } from '../../history/room-store.interface.js';
import type { Codec } from '../../protocol/codec.interface.js';
import type { InboundMessage } from '../../protocol/messages.js';
import { pxlCodec } from '../../protocol/pxl.codec.js';
import { SYSTEM_TYPE } from '../../protocol/route-key.js';
import type { MembershipChange, RoomListener } from '../../rooms/membership.js';
import { ClientRooms } from '../../rooms/client-rooms.js';
import { fieldsOf } from '../message-fields.js';
import type { Router } from '../router.js';
import { Admissions } from './admissions.js';
import { firstWithin } from './first-within.js';
import { isWhole, readPosition, readReplay } from './replay-fields.js';

const PAGE = 100;
const LARGEST_PAGE = 1_000;
/** Bytes of the messages of one page, so that its frame is no burden to the socket. */
const PAGE_BYTES = 524_288;

/** Bytes that a message has more in a page: `,"offset":` with the longest offset, and the comma behind it. */
const ENTRY_MARKS = 27;

type Fields = Readonly<Record<string, unknown>>;

/** The requests about rooms with history that the client is in already: PROTOCOL.md "Rooms with history". */
@Injectable()
export class HistoryRoutes implements RoomListener {
  /** The rooms that a client has recovered since it has entered them. */
  readonly #recovered = new WeakMap<ClientSession, Set<string>>();

  constructor(
    @Inject(ROOM_HISTORY) private readonly history: RoomHistory,
    private readonly rooms: ClientRooms,
  ) {}

  addTo(router: Router): void {
    const add = (action: string, handle: RouteHandler): void => {
      router.add(SYSTEM_TYPE, action, { source: `system.${action}`, immediate: false, handle });
    };
    add('recover', (session, message, exchange) => this.#recover(session, message, exchange));
    add('history', (session, { data }) => this.#page(session, fieldsOf(data)));
  }

  left({ client, roomName }: MembershipChange): void {
    this.#recovered.get(client)?.delete(roomName);
  }

  async #recover(session: ClientSession, { data, id }: InboundMessage, exchange: AckSource): Promise<unknown> {
    const { roomName: name, since, was } = fieldsOf(data);
    if (id === undefined) throw new WsError('BAD_MESSAGE', 'The request has no id.');
    const roomName = this.#checkRoom(session, name);
    const request = { ...readReplay({ was }), since: readPosition(since) };
    const recovered = this.#recoveredBy(session);
    if (recovered.has(roomName)) throw new WsError('CONFLICT', 'The room was recovered already.');
    recovered.add(roomName);
    const admissions = new Admissions(this.history, session, exchange);
    admissions.entered(roomName);
    try {
      const verdict = await admissions.decide(roomName, request);
      if (verdict && session.rooms.has(roomName)) return { roomName: name, ...verdict };
      throw new WsError('CONFLICT', 'The room was left meanwhile.');
    } catch (error) {
      recovered.delete(roomName);
      throw error;
    }
  }

  async #page(session: ClientSession, { roomName: name, since, limit, reverse }: Fields): Promise<unknown> {
    const roomName = this.#checkRoom(session, name);
    const { maxBufferedBytes, maxPushBytes } = session.options.limits;
    const range: MemberRange = {
      since: since === undefined ? undefined : readPosition(since),
      limit: readLimit(limit),
      reverse: readReverse(reverse),
      bytes: Math.min(PAGE_BYTES, maxBufferedBytes || PAGE_BYTES),
    };
    const { entries, top, more, reason } = await this.history.page(session, roomName, range);
    const some = maxPushBytes === false ? entries : firstWithin(maxPushBytes - KEPT_MARKS, entries, bytesOf);
    const messages = some.map((entry) => messageOf(entry, session.codec));
    return { messages, position: top, more: more || some.length < entries.length, reason };
  }

  /** @throws WsError INVALID_ROOM; FORBIDDEN for a room that the client is not in; NOT_FOUND for one without history */
  #checkRoom(session: ClientSession, name: unknown): string {
    this.rooms.check(session, name);
    const roomName = this.rooms.keyOf(session, name);
    if (!session.rooms.has(roomName)) throw new WsError('FORBIDDEN', 'Only members can read a room.');
    if (!this.history.isOn || !this.history.retentionOf(roomName)) {
      throw new WsError('NOT_FOUND', 'The room has no history.');
    }
    return roomName;
  }

  #recoveredBy(session: ClientSession): Set<string> {
    let rooms = this.#recovered.get(session);
    if (!rooms) this.#recovered.set(session, (rooms = new Set()));
    return rooms;
  }
}

function readLimit(limit: unknown): number {
  if (limit === undefined) return PAGE;
  if (isWhole(limit, 1, LARGEST_PAGE)) return limit;
  throw new WsError('BAD_MESSAGE', `limit is not a whole number from 1 to ${LARGEST_PAGE}.`);
}

function readReverse(reverse: unknown): boolean {
  if (reverse === undefined || typeof reverse === 'boolean') return reverse ?? false;
  throw new WsError('BAD_MESSAGE', 'reverse is neither true nor false.');
}

function bytesOf({ text }: WsHistoryEntry): number {
  return Buffer.byteLength(text) + ENTRY_MARKS;
}

/** The message as the codec writes it, with its number. */
function messageOf({ text, offset }: WsHistoryEntry, codec: Codec): unknown {
  const message: unknown = JSON.parse(text);
  const own: unknown = codec === pxlCodec ? message : JSON.parse(encodeMessage(codec, message));
  return { ...(own as object), offset };
}
