import { Inject, Injectable } from '@nestjs/common';
import type { WsExclusion } from '../../clients/exclusion.interface.js';
import { Exclusion } from '../../clients/exclusion.js';
import { OWN_SENDS } from '../../clients/session/own-sends.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { WsWhere } from '../../clients/where.js';
import { BusSender } from '../../cluster/bus/bus-sender.js';
import type { WsReceivedEnvelope, WsTarget } from '../../cluster/bus/envelope.js';
import type { Codec } from '../../protocol/codec.interface.js';
import { codecOf } from '../../protocol/codecs.js';
import { pxlCodec } from '../../protocol/pxl.codec.js';
import { PushLimit } from '../../limits/push-limit.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Timings, type Sending } from '../../runtime/metrics/timings.js';
import { RoomNames } from '../../rooms/room-names.js';
import { RoomWindows, type SendTerms, type TermsOfClient } from '../../clients/room-windows.js';
import { OutboundMessage } from '../../clients/outbound-message.js';
import { Recipients } from './recipients.js';
import { RoomFilters, type MemberFilter } from './room-filters.js';

/** A message and its recipients. No client gets it twice. */
export interface Mailing extends WsExclusion {
  readonly target: WsTarget;
  /** Of a message for rooms: which members get it. Default: all of them. */
  readonly where?: WsWhere | undefined;
  readonly message: unknown;
  /** True: a client that is over its byte budget may miss the message. Default: false. */
  readonly isVolatile?: boolean;
  /** Of the messages with one key to the same room, that wait for a client, only the newest is sent. Default: all are. */
  readonly conflate?: string | undefined;
}

/** Who gets a message. */
type Address = Omit<Mailing, 'message'>;

const NO_ROOMS: readonly string[] = [];

/** Delivers messages: to clients of this worker at once, to others through the bus. */
@Injectable()
export class Delivery {
  /** The codec that most clients are likely to use. */
  readonly #codec: Codec;
  readonly #hasOthers: boolean;
  /** Whether clients of any endpoint get the room's name with a message (`rooms.named`). */
  readonly #namesRooms: boolean;
  readonly #names: RoomNames;

  constructor(
    private readonly recipients: Recipients,
    private readonly filters: RoomFilters,
    private readonly limit: PushLimit,
    private readonly windows: RoomWindows,
    private readonly timings: Timings,
    private readonly bus: BusSender,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#codec = codecOf(options.protocol);
    this.#hasOthers = !bus.isAlone;
    this.#names = RoomNames.of(options);
    this.#namesRooms = allOptions(options).some(({ rooms }) => rooms.named);
  }

  /**
   * Delivers to the clients of all workers. This worker's clients get it before this returns, whatever the bus does.
   *
   * @throws WsError at the call: BAD_MESSAGE when the message has no JSON form, TOO_LARGE over `limits.maxPushBytes`; rejects
   * with UNAVAILABLE when the bus is down
   */
  send(mailing: Mailing): Promise<void> {
    const sent = this.timings.sending();
    const outbound = this.#write(mailing);
    this.#deliver(mailing, outbound, sent);
    return this.#hasOthers ? this.#publish(mailing, outbound) : Promise.resolve();
  }

  /** Delivers to the clients of the other workers. Throws and rejects like {@link send}. */
  sendToOthers(mailing: Mailing): Promise<void> {
    return this.#publish(mailing, this.#write(mailing));
  }

  /**
   * Delivers to the clients of this worker.
   *
   * @throws WsError BAD_MESSAGE when the message has no JSON form, TOO_LARGE over `limits.maxPushBytes`
   */
  deliver(mailing: Mailing): void {
    const sent = this.timings.sending();
    this.#deliver(mailing, this.#write(mailing), sent);
  }

  /** Delivers a message of another worker to the clients of this one. */
  receive(envelope: WsReceivedEnvelope): void {
    this.#deliver(envelope, OutboundMessage.ofText(envelope.content.text), envelope.sent);
  }

  #write({ message, target }: Mailing): OutboundMessage {
    const outbound = OutboundMessage.of(message, this.#codec);
    if (this.limit.bytes !== false) {
      const keys = target.kind === 'rooms' ? target.roomNames : NO_ROOMS;
      this.limit.checkSize(outbound.bytesIn(this.#names.namesOf(keys)));
    }
    return outbound;
  }

  #publish(
    { target, exclude, excludeUsers, excludeRooms, where, isVolatile = false, conflate }: Address,
    message: OutboundMessage,
  ): Promise<void> {
    const content = { kind: 'message', text: message.frameFor(pxlCodec).text } as const;
    const envelope = { target, exclude, excludeUsers, excludeRooms, where, isVolatile, conflate, content };
    return this.bus.publish(envelope);
  }

  #deliver(address: Address, message: OutboundMessage, sent: Sending | undefined): void {
    // What nobody here gets is not measured: it would look like a delivery that takes no time.
    if (this.#give(address, message) && sent) this.timings.delivered(sent);
  }

  /** @returns whether anybody here is among the recipients */
  #give(address: Address, message: OutboundMessage): boolean {
    const { target, where } = address;
    if (this.recipients.areTraced && target.kind === 'rooms') this.recipients.trace(target.roomNames, message);
    const exclusion = Exclusion.of(address);
    if (target.kind === 'rooms' && !this.#areAlike(target.roomNames, address)) {
      const filter = where && this.filters.of(where);
      return filter !== null && this.#giveToRooms(target.roomNames, exclusion, filter, address, message);
    }
    const termsOf = this.#termsOf(address);
    const isNamed = target.kind === 'clients';
    let isAnybody = false;
    for (const client of this.recipients.of(target)) {
      if (exclusion?.hides(client)) continue;
      client.sendFrame(message.frameFor(client.codec), termsOf(client));
      if (isNamed) OWN_SENDS.note(client);
      isAnybody = true;
    }
    return isAnybody;
  }

  /** Whether it does not matter in which of the rooms a client gets the message, and how: the fast way. */
  #areAlike(roomNames: readonly string[], { where, conflate }: Address): boolean {
    if (this.#namesRooms || where !== undefined) return false;
    return roomNames.length === 1 || (conflate === undefined && this.windows.areNone);
  }

  #termsOf({ target, ...terms }: Address): TermsOfClient {
    if (target.kind === 'rooms') return this.windows.ofRoom(target.roomNames[0] ?? '', terms);
    if (target.kind === 'users') return this.windows.ofUsers(terms);
    return target.kind === 'everybody' ? this.windows.ofBroadcast(terms) : this.windows.ofClients(terms);
  }

  /** Sends room by room, with the name of the room. A client in several of the rooms gets the message of the first one. */
  #giveToRooms(
    roomNames: readonly string[],
    exclusion: Exclusion | undefined,
    filter: MemberFilter | undefined,
    terms: SendTerms,
    message: OutboundMessage,
  ): boolean {
    const served = new Set<ClientSession>();
    let isAnybody = false;
    for (const roomName of roomNames) {
      const named = this.#namesRooms ? message.inRoom(this.#names.nameOf(roomName)) : message;
      const termsOf = this.windows.ofRoom(roomName, terms);
      for (const client of this.recipients.of({ kind: 'rooms', roomNames: [roomName] })) {
        if (exclusion?.hides(client) || served.has(client)) continue;
        if (filter?.admits(client, roomName) === false) continue;
        if (roomNames.length > 1) served.add(client);
        const own = client.options.rooms.named ? named : message;
        client.sendFrame(own.frameFor(client.codec), termsOf(client));
        isAnybody = true;
      }
    }
    return isAnybody;
  }
}
