import type { WebSocket } from 'ws';
import { badMessage, checkNames, namespaceIn, readName, readUserId } from '../../clients/verb-checks.js';
import type { WsTarget } from '../../cluster/bus/envelope.js';
import { WsError } from '../../errors/ws.error.js';
import type { RoomNames } from '../../rooms/room-names.js';
import type { ClientEntry } from '../../ws-client/client-entry.js';

/** One client, every session of a user, or the members of a room, in a namespace of `rooms.namespace` or in none. */
export type WsNamedDestination =
  { client: string } | { user: string | number } | { room: string; namespace?: string | undefined };

/**
 * The destination of `WebSocketService.send`. A text is a client when it has the form of a client's id or is the id of a
 * known client; any other text is a room.
 */
export type WsSendDestination = string | WsNamedDestination;

/** A socket, the client behind it, or its id. */
export type ClientReference = { ws: WebSocket } | { client: ClientEntry } | { clientId: string };

/**
 * The target that a destination names; without one it is everybody.
 *
 * @param isClientId whether a text is a client's id, not the name of a room
 * @throws WsError BAD_MESSAGE for anything else
 */
export function targetOf(
  destination: WsSendDestination | undefined,
  isClientId: (text: string) => boolean,
  names: RoomNames,
): WsTarget {
  if (destination === undefined) return { kind: 'everybody' };
  if (typeof destination === 'string') {
    return isClientId(destination)
      ? { kind: 'clients', clientIds: [destination] }
      : { kind: 'rooms', roomNames: [destination] };
  }
  const namespace = namespaceIn(destination);
  checkNames('destination', destination, ['client', 'user', 'room', 'namespace']);
  const { client, user, room }: { client?: string; user?: string | number; room?: string } = destination;
  const isOne = [client, user, room].filter((name) => name !== undefined).length === 1;
  if (namespace !== undefined && room === undefined) throw badMessage('Only a room has a namespace');
  if (isOne && client !== undefined) return { kind: 'clients', clientIds: [readName('client', client)] };
  if (isOne && user !== undefined) return { kind: 'users', userIds: [readUserId(user)] };
  if (isOne && room !== undefined)
    return { kind: 'rooms', roomNames: [names.keyOf('room', readName('room', room), namespace)] };
  throw new WsError('BAD_MESSAGE', 'A destination is a text, or names one client, user or room.');
}

/**
 * The id of the client that a reference names; undefined when its socket is not a client's of this worker.
 *
 * @param idOf the id of the client behind a socket
 * @throws WsError BAD_MESSAGE when none of the three is given
 */
export function clientIdOf(
  { ws, client, clientId }: { ws?: WebSocket; client?: ClientEntry; clientId?: string },
  idOf: (ws: WebSocket) => string | undefined,
): string | undefined {
  if (ws && !client) return idOf(ws);
  const id = client ? client.clientId : clientId;
  if (typeof id !== 'string') throw new WsError('BAD_MESSAGE', 'Name the client: ws, client or clientId.');
  return id;
}
