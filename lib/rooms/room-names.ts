import { badMessage, readName } from '../clients/verb-checks.js';
import type { RefusalCounters } from '../limits/refusal-counters.js';
import { readRoomKey, roomKey, SEPARATOR, type WsRoomName } from '../ws-client/room-key.js';
import type { WsRoomRequest } from '../options/rooms/rooms.options.js';
import { allOptions, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { WsClient } from '../ws-client/ws-client.js';
import { checkRoomName } from './room-name.js';

/** Characters of the longest namespace. */
const LONGEST = 128;

/** Whether a value can be the namespace of rooms. */
export function isNamespace(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST && !value.includes(SEPARATOR);
}

/**
 * What rooms are called. Inside the library a room is known by its key alone: its namespace and its name, or the name where
 * it is in none. Clients say and hear the name. Without `rooms.namespace` key and name are the same, whatever is in it.
 */
export class RoomNames {
  /** @param areSpaced whether rooms may be in namespaces */
  constructor(readonly areSpaced: boolean) {}

  static of(options: ResolvedOptions): RoomNames {
    // A client of one endpoint must not reach the rooms of another one by what it calls them.
    return new RoomNames(allOptions(options).some(({ rooms }) => rooms.namespace !== undefined));
  }

  /** What clients call the room. */
  nameOf(key: string): string {
    return this.areSpaced ? readRoomKey(key).roomName : key;
  }

  /** {@link nameOf} each of these rooms. */
  namesOf(keys: readonly string[]): readonly string[] {
    return this.areSpaced ? keys.map((key) => this.nameOf(key)) : keys;
  }

  /** The room as the application's functions get it. */
  read(key: string): WsRoomName {
    return readRoomKey(key, this.areSpaced);
  }

  /** A client and a room, as the application's rules get them. */
  requestOf(client: WsClient, key: string): WsRoomRequest {
    return this.areSpaced ? { client, ...readRoomKey(key) } : { client, roomName: key };
  }

  /**
   * The key of a room that a verb names; without a namespace the name is one.
   *
   * @param field what the verb calls it
   * @throws WsError BAD_MESSAGE for what cannot be a room in a namespace, or a namespace, and for a namespace without
   * `rooms.namespace`
   */
  keyOf(field: string, name: string, namespace: unknown): string {
    if (namespace === undefined) return name;
    const roomName = readName(field, name);
    this.#checkNamespace(namespace);
    if (roomName.includes(SEPARATOR)) throw badMessage(`${field} is the name of a room in a namespace, not a key`);
    return roomKey({ roomName, namespace });
  }

  /** {@link keyOf} of each room of a list. */
  keysOf(field: string, names: readonly string[], namespace: unknown): readonly string[] {
    return namespace === undefined ? names : names.map((name) => this.keyOf(field, name, namespace));
  }

  /** @throws WsError INVALID_ROOM for a key whose name is none, or longer than this limit */
  check(key: unknown, limit: number | false, counters?: RefusalCounters): asserts key is string {
    checkRoomName(typeof key === 'string' ? this.nameOf(key) : key, limit, counters);
  }

  /** @throws WsError BAD_MESSAGE */
  #checkNamespace(namespace: unknown): asserts namespace is string {
    if (!isNamespace(namespace)) throw badMessage(`namespace is a text of 1 to ${LONGEST} characters without U+001F`);
    if (!this.areSpaced) throw badMessage('There are no namespaces without the option rooms.namespace');
  }
}
