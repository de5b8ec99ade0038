import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { WsError } from '../errors/ws.error.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { Awaitable } from '../runtime/thenable.js';
import { roomKey, SEPARATOR } from '../ws-client/room-key.js';
import { AskedRooms } from './asked-rooms.js';
import { Memberships } from './memberships.js';
import { Namespaces } from './namespaces.js';
import { checkRoomName, isRoomName } from './room-name.js';
import { RoomNames } from './room-names.js';

/** A join whose namespace is asked for. */
interface Asking {
  readonly client: ClientSession;
  readonly roomName: string;
  /** The client has left the room meanwhile. */
  hasLeft: boolean;
}

/**
 * Which rooms clients mean by the names that they say. With `rooms.namespace` a client is in one room at most that it calls by a
 * name: the one of its namespace, or one that the server has put it into.
 */
@Injectable()
export class ClientRooms {
  readonly #names: RoomNames;
  readonly #asking = new Set<Asking>();

  constructor(
    private readonly memberships: Memberships,
    private readonly asked: AskedRooms,
    private readonly namespaces: Namespaces,
    private readonly counters: RefusalCounters,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  /** Whether a client can call a room so: no key, where rooms have namespaces. */
  isName({ options }: ClientSession, name: unknown): name is string {
    return isRoomName(name, options.limits.roomName, this.counters) && !this.#isKey(name);
  }

  /** @throws WsError INVALID_ROOM unless {@link isName} */
  check({ options }: ClientSession, name: unknown): asserts name is string {
    checkRoomName(name, options.limits.roomName, this.counters);
    if (this.#isKey(name)) throw new WsError('INVALID_ROOM', 'A room name has no U+001F.');
  }

  /** The key of the room that the client is in by this name; of one that it would be in where it is in none. */
  keyOf(client: ClientSession, name: string): string {
    if (!this.#names.areSpaced || client.rooms.has(name)) return name;
    const namespace = this.namespaces.of(client);
    const key = namespace === undefined ? name : roomKey({ roomName: name, namespace });
    if (client.rooms.has(key)) return key;
    // The server may have put it into a room of another namespace.
    for (const other of client.rooms) if (this.#names.nameOf(other) === name) return other;
    return key;
  }

  /**
   * Enters the room that the client asks to join.
   *
   * @param enter begins the join at the call, by the key, so that nothing can come between the namespace and the join
   * @throws WsError FORBIDDEN for a client without a namespace, TIMEOUT, CONFLICT when it has left meanwhile; what
   * `rooms.namespace` throws: at the call where that answers at once
   */
  join<T>(client: ClientSession, roomName: string, enter: (key: string) => Awaitable<T>): Awaitable<T> {
    if (!this.#names.areSpaced) return enter(roomName);
    const { namespace: isSpaced, own } = client.options.rooms;
    const known = this.keyOf(client, roomName);
    const isServers = client.rooms.has(known) && !this.asked.find(client, known);
    if (isServers || (own && roomName === client.clientId)) return enter(known);
    if (!isSpaced) return enter(roomName);
    const question = this.namespaces.ask(client);
    if (typeof question === 'string') return enter(this.#keyIn(client, question, roomName));
    const asking: Asking = { client, roomName, hasLeft: false };
    this.#asking.add(asking);
    return question.answer
      .finally(() => this.#asking.delete(asking))
      .then((namespace) => {
        if (asking.hasLeft) throw new WsError('CONFLICT', 'The room was left while it was being joined.');
        if (question.isDoubtful) return this.join(client, roomName, enter);
        return enter(this.#keyIn(client, namespace, roomName));
      });
  }

  /** Takes a client out of a room that it leaves by this name. Returns false when it was not in it. */
  leave(client: ClientSession, roomName: string): boolean {
    for (const asking of this.#asking) {
      if (asking.client === client && asking.roomName === roomName) asking.hasLeft = true;
    }
    return this.memberships.leave(client, this.keyOf(client, roomName));
  }

  /** The client is in a namespace from now on: it leaves the rooms of another one that it has asked for. */
  #keyIn(client: ClientSession, namespace: string, roomName: string): string {
    const before = this.namespaces.of(client);
    this.namespaces.set(client, namespace);
    if (before !== undefined && before !== namespace) {
      this.memberships.removeAsked(client, (key) => this.#names.read(key).namespace !== namespace);
    }
    return roomKey({ roomName, namespace });
  }

  #isKey(name: string): boolean {
    return this.#names.areSpaced && name.includes(SEPARATOR);
  }
}
