/** Parts the namespace of a room from its name. Neither has it in it, where rooms have namespaces. */
export const SEPARATOR = '\u001f';

/** A room as clients call it, and the namespace that it is in. */
export interface WsRoomName {
  readonly roomName: string;
  /** Undefined: the room is in none. */
  readonly namespace?: string | undefined;
}

/** Where the rooms are that a verb of the server names. */
export interface WsNamespaced {
  /**
   * The namespace of the rooms, where there is `rooms.namespace`. Default: none, each name is taken literally, so that it may be
   * a key as `client.rooms` has it.
   */
  namespace?: string | undefined;
}

/**
 * The key of a room: what the server calls it everywhere, as in `client.rooms`. A room without a namespace is called by its
 * name.
 *
 * @example await sockets.sendToRooms([roomKey({ roomName: 'lobby', namespace: 'acme' })], message);
 */
export function roomKey({ roomName, namespace }: WsRoomName): string {
  return namespace === undefined ? roomName : namespace + SEPARATOR + roomName;
}

/**
 * The room that a key stands for.
 *
 * @param areSpaced false: there is no `rooms.namespace`, and each key is a name. Default: true
 */
export function readRoomKey(key: string, areSpaced = true): WsRoomName {
  if (!areSpaced) return { roomName: key };
  const at = key.indexOf(SEPARATOR);
  const isKey = at > 0 && at < key.length - 1;
  return isKey ? { roomName: key.slice(at + 1), namespace: key.slice(0, at) } : { roomName: key };
}
