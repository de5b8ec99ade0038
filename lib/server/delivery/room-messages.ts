import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { encodeMessage } from '../../clients/encode-message.js';
import { KEPT_MARKS, OutboundMessage } from '../../clients/outbound-message.js';
import { badMessage } from '../../clients/verb-checks.js';
import type { WsWhere } from '../../clients/where.js';
import { spanOf } from '../../cluster/bus/envelope-spans.js';
import type { WsReceivedEnvelope, WsTarget } from '../../cluster/bus/envelope.js';
import { WsRoomsError } from '../../errors/ws-rooms.error.js';
import { checkNumbered, KEEPS_ALL } from '../../history/numbered-checks.js';
import { ROOM_HISTORY, type RoomHistory } from '../../history/room-history.interface.js';
import type { WsAppend, WsAppended } from '../../history/room-store.interface.js';
import { PushLimit } from '../../limits/push-limit.js';
import type { WsRetention } from '../../options/rooms/history.options.js';
import { pxlCodec } from '../../protocol/pxl.codec.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { longestRoomName } from '../../rooms/room-name.js';
import { RoomNames } from '../../rooms/room-names.js';
import { Runtime } from '../../runtime/runtime.js';
import { Tracing } from '../../tracing/tracing.js';
import { Delivery, type Mailing } from './delivery.js';
import { RoomFilters } from './room-filters.js';

/** The most rooms with history that one message can be sent to: each takes an append of its own. */
const MOST_ROOMS = 32;

/** How the module's own pushes to rooms begin, `memberJoined` and `memberLeft`: they are no part of a history. */
const ANNOUNCEMENT = '{"type":"room","action":"member';

/** The rooms of a message, and how those with history keep it. */
interface RoomSplit {
  readonly kept: ReadonlyMap<string, WsRetention>;
  readonly others: readonly string[];
}

/** What all rooms with history get. */
type KeptMessage = Omit<WsAppend, 'roomName' | 'retention' | 'copy'>;

/** A part of a send to several rooms. */
interface SendPart {
  readonly roomNames: readonly string[];
  readonly sent: Promise<unknown>;
}

/**
 * The messages that applications send: those for rooms with history are appended there, and come to the members of every
 * worker by their numbers; all others are delivered as they are.
 */
@Injectable()
export class RoomMessages {
  readonly #longestName: number | false;
  /** What verbs call rooms. */
  readonly names: RoomNames;

  constructor(
    private readonly delivery: Delivery,
    private readonly filters: RoomFilters,
    private readonly runtime: Runtime,
    private readonly limit: PushLimit,
    private readonly tracing: Tracing,
    @Inject(ROOM_HISTORY) private readonly history: RoomHistory,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#longestName = longestRoomName(options);
    this.names = RoomNames.of(options);
  }

  /**
   * Sends to the clients of all workers. Where rooms have history, it resolves once their messages are kept.
   *
   * @param idempotencyKey for rooms with history: a message that they got with this key within five minutes is not added again
   * @throws WsError at the call, nothing is sent then: BAD_MESSAGE for a message without a JSON form, for one that a room
   * with history cannot number, for over 32 such rooms, for a key without one and for a filter with one, or that there is not;
   * INVALID_ROOM for the name of such a room that no client can join; TOO_LARGE. Rejects with UNAVAILABLE when the bus is down, and with
   * WsRoomsError when only some rooms have it
   */
  send(mailing: Mailing, idempotencyKey?: string): Promise<void> {
    if (!this.tracing.isOn) return this.#send(mailing, idempotencyKey);
    const { name, start } = spanOf('send', mailing.target);
    return this.tracing.within(name, start, () => this.#send(mailing, idempotencyKey));
  }

  /** Delivers a message of another worker, and one of this worker's own that has its number now. */
  receive(envelope: WsReceivedEnvelope): void {
    const { target, number, exclude, excludeUsers, excludeRooms, isVolatile, content, sent } = envelope;
    if (!this.history.isOn || target.kind !== 'rooms') {
      this.delivery.receive(envelope);
      return;
    }
    const [roomName] = target.roomNames;
    // Where this worker knows of no history, a number means nothing: the members get the message as it is.
    if (number && roomName !== undefined && this.history.retentionOf(roomName)) {
      const { copy } = number;
      this.history.receive(roomName, number, { text: content.text, exclude, excludeUsers, excludeRooms, copy, sent });
      return;
    }
    this.delivery.receive(envelope);
    if (!isVolatile && !content.text.startsWith(ANNOUNCEMENT)) this.noteUnnumbered(target.roomNames);
  }

  /** A message that is not volatile came for these rooms without a number, from a sender that knows nothing of history. */
  noteUnnumbered(roomNames: readonly string[]): void {
    if (!this.history.isOn) return;
    for (const roomName of roomNames) if (this.history.retentionOf(roomName)) this.history.unnumbered(roomName);
  }

  /** The bus has ended: nothing comes from it. */
  end(): void {
    this.history.end();
  }

  #send(mailing: Mailing, idempotencyKey: string | undefined): Promise<void> {
    const { target, where, isVolatile = false, conflate } = mailing;
    if (where !== undefined) this.#checkWhere(where, target);
    if (this.history.isOn && target.kind === 'rooms' && !isVolatile) {
      const rooms = this.#split(target.roomNames);
      if (rooms.kept.size > 0) {
        if (conflate !== undefined) throw badMessage(KEEPS_ALL);
        return this.#append(rooms, mailing, idempotencyKey);
      }
    }
    if (idempotencyKey !== undefined) {
      throw badMessage(
        isVolatile ? 'A volatile message has no idempotencyKey' : 'An idempotencyKey is for rooms with history',
      );
    }
    return this.delivery.send(mailing);
  }

  /** What is kept is brought to members who come later: by then nobody can ask the filter about who was there. */
  #checkWhere([name]: WsWhere, target: WsTarget): void {
    const isKept = target.kind === 'rooms' && target.roomNames.some((roomName) => this.history.retentionOf(roomName));
    if (isKept) throw badMessage('A message to a room with history is for all members: it has no where');
    if (!this.filters.has(name))
      throw badMessage(`There is no filter ${JSON.stringify(name.slice(0, 64))} in rooms.filters`);
  }

  #split(roomNames: readonly string[]): RoomSplit {
    const kept = new Map<string, WsRetention>();
    const others: string[] = [];
    for (const roomName of roomNames) {
      const retention = this.history.retentionOf(roomName);
      if (retention) kept.set(roomName, retention);
      else others.push(roomName);
    }
    return { kept, others };
  }

  #append(rooms: RoomSplit, mailing: Mailing, idempotencyKey: string | undefined): Promise<void> {
    const { kept, others } = rooms;
    if (kept.size > MOST_ROOMS) throw badMessage(`A message is for at most ${MOST_ROOMS} rooms with history`);
    for (const roomName of kept.keys()) this.names.check(roomName, this.#longestName);
    const text = encodeMessage(pxlCodec, mailing.message);
    checkNumbered(mailing.message, text);
    if (this.limit.bytes !== false) {
      const names = this.names.namesOf([...kept.keys(), ...others]);
      this.limit.checkSize(OutboundMessage.ofText(text).bytesIn(names, KEPT_MARKS));
    }
    const { exclude, excludeUsers, excludeRooms } = mailing;
    const message: KeptMessage = { text, exclude, excludeUsers, excludeRooms, idempotencyKey };
    const [only] = kept;
    if (only && kept.size === 1 && others.length === 0) {
      const [roomName, retention] = only;
      return this.history.append({ ...message, roomName, retention }).then(nothing);
    }
    return this.#sendParts(rooms, mailing, message);
  }

  /** All parts go at once, in one turn, so that what the same sender sends next is behind all of them. */
  async #sendParts({ kept, others }: RoomSplit, mailing: Mailing, message: KeptMessage): Promise<void> {
    const copy = kept.size > 1 ? this.#copyId(kept, message.idempotencyKey) : undefined;
    const parts: SendPart[] = [];
    const appends: Promise<WsAppended>[] = [];
    for (const [roomName, retention] of kept) {
      const sent = this.history.append({ ...message, roomName, retention, copy });
      appends.push(sent);
      parts.push({ roomNames: [roomName], sent });
    }
    if (others.length > 0) {
      const rest: Mailing = {
        ...mailing,
        target: { kind: 'rooms', roomNames: others },
        excludeRooms: [...kept.keys(), ...(mailing.excludeRooms ?? [])],
      };
      const isRepeatable = message.idempotencyKey !== undefined;
      const sent = isRepeatable ? this.#sendBehind(appends, rest, message.text) : this.#sendNow(rest);
      parts.push({ roomNames: others, sent });
    }
    const ends = await Promise.allSettled(parts.map(({ sent }) => sent));
    const failed = ends.find((end) => end.status === 'rejected');
    if (!failed) return;
    const done = parts.filter((_part, at) => ends[at]?.status === 'fulfilled');
    throw WsRoomsError.of(
      failed.reason,
      done.flatMap(({ roomNames }) => roomNames),
    );
  }

  /** Once all rooms with history have the message: a send that fails, and is repeated, then reaches the others once. */
  async #sendBehind(appends: readonly Promise<WsAppended>[], rest: Mailing, text: string): Promise<void> {
    await Promise.all(appends);
    // The application may have changed the message meanwhile.
    await this.#sendNow({ ...rest, message: JSON.parse(text) });
  }

  /** Never throws at the call, when appends are under way. */
  async #sendNow(rest: Mailing): Promise<void> {
    await this.delivery.send(rest);
  }

  /** A repeated send has the same id, so that a client that has one copy of the first handles none of the second. */
  #copyId(kept: ReadonlyMap<string, WsRetention>, idempotencyKey: string | undefined): string {
    if (idempotencyKey === undefined) return this.runtime.randomId(12);
    const names = JSON.stringify([idempotencyKey, ...[...kept.keys()].sort()]);
    return createHash('sha256').update(names).digest('base64url').slice(0, 16);
  }
}

function nothing(): void {}
