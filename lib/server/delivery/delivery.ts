import { Inject, Injectable } from '@nestjs/common';
import { OWN_SENDS } from '../../clients/session/own-sends.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import { PXL_WS_BROADCASTER, type WsBroadcaster } from '../../cluster/bus/broadcaster.interface.js';
import type { WsEnvelope, WsTarget } from '../../cluster/bus/envelope.js';
import type { Codec } from '../../protocol/codec.interface.js';
import { codecOf } from '../../protocol/codecs.js';
import { pxlCodec } from '../../protocol/pxl.codec.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { OutboundMessage } from '../../clients/outbound-message.js';
import { Recipients } from './recipients.js';

const NOBODY: ReadonlySet<string> = new Set<string>();

/** A message and its recipients. No client gets it twice. */
export interface Mailing {
  readonly target: WsTarget;
  /** Ids of clients that do not get the message. */
  readonly exclude: readonly string[];
  /** Members of these rooms do not get the message. Default: none. */
  readonly excludeRooms?: readonly string[] | undefined;
  readonly message: unknown;
  /** True: a client that is over its byte budget may miss the message. Default: false. */
  readonly isVolatile?: boolean;
}

/** Delivers messages: to clients of this worker at once, to others through the bus. */
@Injectable()
export class Delivery {
  /** The codec that most clients are likely to use. */
  readonly #codec: Codec;
  readonly #hasOthers: boolean;
  /** Whether clients of any endpoint get the room's name with a message (`rooms.named`). */
  readonly #namesRooms: boolean;

  constructor(
    private readonly recipients: Recipients,
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: WsBroadcaster,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#codec = codecOf(options.protocol);
    this.#hasOthers = broadcaster.isAlone !== true;
    this.#namesRooms = allOptions(options).some(({ rooms }) => rooms.named);
  }

  /**
   * Delivers to the clients of all workers. This worker's clients get it before this returns, whatever the bus does.
   *
   * @throws WsError BAD_MESSAGE at the call when the message has no JSON form; rejects with UNAVAILABLE when the bus is down
   */
  send({ target, exclude, excludeRooms, message, isVolatile = false }: Mailing): Promise<void> {
    const outbound = OutboundMessage.of(message, this.#codec);
    this.#deliver(target, exclude, excludeRooms, isVolatile, outbound);
    return this.#hasOthers ? this.#publish({ target, exclude, excludeRooms, isVolatile }, outbound) : Promise.resolve();
  }

  /** Delivers to the clients of the other workers. Throws and rejects like {@link send}. */
  sendToOthers({ target, exclude, message, isVolatile = false }: Mailing): Promise<void> {
    return this.#publish({ target, exclude, isVolatile }, OutboundMessage.of(message, this.#codec));
  }

  /**
   * Delivers to the clients of this worker.
   *
   * @throws WsError BAD_MESSAGE when the message has no JSON form
   */
  deliver({ target, exclude, message, isVolatile = false }: Mailing): void {
    this.#deliver(target, exclude, undefined, isVolatile, OutboundMessage.of(message, this.#codec));
  }

  /** Delivers a message of another worker to the clients of this one. */
  receive({ target, exclude, excludeRooms, isVolatile, content }: WsEnvelope): void {
    this.#deliver(target, exclude, excludeRooms, isVolatile, OutboundMessage.ofText(content.text));
  }

  #publish(address: Omit<WsEnvelope, 'content'>, message: OutboundMessage): Promise<void> {
    const { text } = message.frameFor(pxlCodec);
    return this.broadcaster.publish({ ...address, content: { kind: 'message', text } });
  }

  #deliver(
    target: WsTarget,
    exclude: readonly string[],
    excludeRooms: readonly string[] | undefined,
    isVolatile: boolean,
    message: OutboundMessage,
  ): void {
    const excluded = excludeRooms
      ? this.#withMembers(exclude, excludeRooms)
      : exclude.length === 0
        ? NOBODY
        : new Set(exclude);
    if (this.#namesRooms && target.kind === 'rooms') {
      this.#deliverToRooms(target.roomNames, excluded, isVolatile, message);
      return;
    }
    const isNamed = target.kind === 'clients';
    for (const client of this.recipients.of(target)) {
      if (excluded.has(client.clientId)) continue;
      client.sendFrame(message.frameFor(client.codec), isVolatile);
      if (isNamed) OWN_SENDS.note(client);
    }
  }

  /** The ids of clients together with those of rooms' members. */
  #withMembers(clientIds: readonly string[], roomNames: readonly string[]): ReadonlySet<string> {
    const excluded = new Set(clientIds);
    for (const { clientId } of this.recipients.of({ kind: 'rooms', roomNames })) excluded.add(clientId);
    return excluded;
  }

  /** Sends with the name of the room. A client in several of the rooms gets the first one's. */
  #deliverToRooms(
    roomNames: readonly string[],
    excluded: ReadonlySet<string>,
    isVolatile: boolean,
    message: OutboundMessage,
  ): void {
    const served = new Set<ClientSession>();
    for (const roomName of roomNames) {
      const named = message.inRoom(roomName);
      for (const client of this.recipients.of({ kind: 'rooms', roomNames: [roomName] })) {
        if (excluded.has(client.clientId) || served.has(client)) continue;
        if (roomNames.length > 1) served.add(client);
        const own = client.options.rooms.named ? named : message;
        client.sendFrame(own.frameFor(client.codec), isVolatile);
      }
    }
  }
}
