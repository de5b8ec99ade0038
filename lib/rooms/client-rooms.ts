import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { WsError } from '../errors/ws.error.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { roomKey, SEPARATOR } from '../ws-client/room-key.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { AskedRooms } from './asked-rooms.js';
import { Memberships } from './memberships.js';
import { checkRoomName, isRoomName } from './room-name.js';
import { RoomNames } from './room-names.js';
import { RoomRules } from './room-rules.js';

/** What is known of a client's namespace. */
interface Namespace {
  /** The newest that was answered; null: none yet. */
  value: string | null;
  /** How many questions have begun, and the newest of them that was answered. */
  questions: number;
  answered: number;
}

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
  readonly #namespaces = new WeakMap<ClientSession, Namespace>();
  readonly #asking = new Set<Asking>();

  constructor(
    private readonly memberships: Memberships,
    private readonly asked: AskedRooms,
    private readonly rules: RoomRules,
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

  /** What the client calls the room of this key. */
  nameOf(key: string): string {
    return this.#names.nameOf(key);
  }

  /** The key of the room that the client is in by this name; of one that it would be in where it is in none. */
  keyOf(client: ClientSession, name: string): string {
    if (!this.#names.areSpaced || client.rooms.has(name)) return name;
    const namespace = this.#namespaces.get(client)?.value;
    const key = typeof namespace === 'string' ? roomKey({ roomName: name, namespace }) : name;
    if (client.rooms.has(key)) return key;
    // The server may have put it into a room of another namespace.
    for (const other of client.rooms) if (this.#names.nameOf(other) === name) return other;
    return key;
  }

  /**
   * The key of the room that the client asks to join.
   *
   * @throws WsError FORBIDDEN for a client without a namespace, TIMEOUT, CONFLICT when it has left meanwhile; what
   * `rooms.namespace` throws; where that answers at once, at the call
   */
  keyToJoin(client: ClientSession, roomName: string): string | Promise<string> {
    if (!this.#names.areSpaced) return roomName;
    const { namespace, own } = client.options.rooms;
    const known = this.keyOf(client, roomName);
    const isServers = client.rooms.has(known) && !this.asked.find(client, known);
    if (isServers || (own && roomName === client.clientId)) return known;
    if (!namespace) return roomName;
    const state = this.#stateOf(client);
    const question = ++state.questions;
    const { user } = client;
    const answer = this.rules.namespaceOf(client);
    if (typeof answer === 'string') return roomKey({ roomName, namespace: this.#settle(client, question, answer) });
    const asking: Asking = { client, roomName, hasLeft: false };
    this.#asking.add(asking);
    return answer
      .finally(() => this.#asking.delete(asking))
      .then((value) => {
        if (asking.hasLeft) throw new WsError('CONFLICT', 'The room was left while it was being joined.');
        // It was answered about who the client was then.
        if (client.user !== user) return this.keyToJoin(client, roomName);
        return roomKey({ roomName, namespace: this.#settle(client, question, value) });
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
  #settle(client: ClientSession, question: number, namespace: string): string {
    const state = this.#stateOf(client);
    if (question < state.answered) return state.value ?? namespace;
    state.answered = question;
    if (state.value === namespace) return namespace;
    const isChange = state.value !== null;
    state.value = namespace;
    if (isChange) this.memberships.removeAsked(client, (key) => this.#names.read(key).namespace !== namespace);
    return namespace;
  }

  #stateOf(client: ClientSession): Namespace {
    let state = this.#namespaces.get(client);
    if (!state) this.#namespaces.set(client, (state = { value: null, questions: 0, answered: 0 }));
    return state;
  }

  #isKey(name: string): boolean {
    return this.#names.areSpaced && name.includes(SEPARATOR);
  }
}
