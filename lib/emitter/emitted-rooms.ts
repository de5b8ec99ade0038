import { encodeMessage } from '../clients/encode-message.js';
import { KEPT_MARKS, OutboundMessage } from '../clients/outbound-message.js';
import { badMessage, checkMessage, readExclude } from '../clients/verb-checks.js';
import type { WsExclude } from '../clients/exclusion.interface.js';
import type { WsWhere } from '../clients/where.js';
import type { ClusterChannels } from '../cluster/bus/cluster-channels.js';
import { RedisRoomStore } from '../cluster/bus/redis.room-store.js';
import { WsError } from '../errors/ws.error.js';
import { readMessages, type WsHistoryQuery, type WsKeptMessages } from '../history/kept-messages.js';
import { KEEPS_ALL, checkNumbered, readIdempotencyKey } from '../history/numbered-checks.js';
import type { WsAppend, WsPosition } from '../history/room-store.interface.js';
import type { PushLimit } from '../limits/push-limit.js';
import type { ResolvedHistory, WsRetention } from '../options/rooms/history.options.js';
import type { WebSocketContract } from '../protocol/contract.js';
import { pxlCodec } from '../protocol/pxl.codec.js';
import type { RoomNames } from '../rooms/room-names.js';
import type { RedisLink } from '../redis/link/redis-link.js';
import type { Runtime } from '../runtime/runtime.js';

/** A message for a room, as an emitter gets it. */
interface EmittedMessage {
  readonly message: object;
  readonly exclude?: WsExclude | undefined;
  readonly where?: WsWhere | undefined;
  readonly conflate?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface EmittedRoomsOptions {
  /** Undefined: no room has one. */
  readonly history: ResolvedHistory | undefined;
  readonly limit: PushLimit;
  readonly names: RoomNames;
}

/** The rooms with history, for a process without clients. */
export class EmittedRooms {
  readonly #store: RedisRoomStore;

  readonly #history: ResolvedHistory | undefined;
  readonly #limit: PushLimit;
  readonly #names: RoomNames;

  constructor(
    { history, limit, names }: EmittedRoomsOptions,
    link: RedisLink,
    channels: ClusterChannels,
    runtime: Runtime,
  ) {
    this.#history = history;
    this.#limit = limit;
    this.#names = names;
    const seesFailover = history?.seesFailover ?? true;
    this.#store = new RedisRoomStore(link, channels, { origin: null, seesFailover }, runtime);
  }

  /**
   * The message as it is appended to the room; null for a room without history.
   *
   * @throws WsError BAD_MESSAGE for a message that cannot be numbered, for a `where` or `conflate` with history, and for an
   * `idempotencyKey` without it; TOO_LARGE
   */
  write(
    roomName: string,
    { message, exclude, where, conflate, idempotencyKey: given }: EmittedMessage,
  ): WsAppend | null {
    const idempotencyKey = readIdempotencyKey(given);
    const retention = this.#history?.of(roomName);
    if (!retention) {
      if (idempotencyKey !== undefined) throw badMessage('An idempotencyKey is for rooms with history');
      return null;
    }
    if (where !== undefined) throw badMessage('A message to a room with history is for all members: it has no where');
    if (conflate !== undefined) throw badMessage(KEEPS_ALL);
    checkMessage(message);
    const text = encodeMessage(pxlCodec, message);
    checkNumbered(message, text);
    if (this.#limit.bytes !== false) {
      this.#limit.checkSize(OutboundMessage.ofText(text).bytesIn([this.#names.nameOf(roomName)], KEPT_MARKS));
    }
    return { roomName, retention, text, ...readExclude(exclude), idempotencyKey };
  }

  /** @returns whether it had been appended before, with the same key */
  async append(message: WsAppend): Promise<boolean> {
    return (await this.#store.append(message)).isRepeated;
  }

  /** @throws WsError NOT_FOUND for a room without history, BAD_MESSAGE for a wrong query, UNAVAILABLE */
  read<C extends WebSocketContract>(roomName: string, query: WsHistoryQuery): Promise<WsKeptMessages<C>> {
    return readMessages(this.#store, roomName, this.#retentionOf(roomName), query);
  }

  /** @throws WsError NOT_FOUND for a room without history, UNAVAILABLE */
  clear(roomName: string): Promise<WsPosition> {
    return this.#store.clear(roomName, this.#retentionOf(roomName));
  }

  /** Ends the work in the background. */
  stop(): void {
    this.#store.stop();
  }

  #retentionOf(roomName: string): WsRetention {
    const retention = this.#history?.of(roomName);
    if (!retention) throw new WsError('NOT_FOUND', 'The room has no history.');
    return retention;
  }
}
