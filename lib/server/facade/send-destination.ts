import { checkNames, readName, readUserId } from '../../clients/verb-checks.js';
import type { WsTarget } from '../../cluster/bus/envelope.js';
import { WsError } from '../../errors/ws.error.js';
import { workerOf } from '../../runtime/client-id.js';
import type { ClientManager } from './client-manager.js';

/** One client, every session of a user, or the members of a room. */
export type NamedDestination = { client: string } | { user: string | number } | { room: string };

/**
 * Whom `WebSocketService.send` sends to. A text with the form of a client's id, or that is one, is a
 * client; any other is a room.
 */
export type SendDestination = string | NamedDestination;

/**
 * The target behind a destination; none is everybody.
 *
 * @throws WsError BAD_MESSAGE for anything else
 */
export function targetOf(destination: SendDestination | undefined, clients: ClientManager): WsTarget {
  if (destination === undefined) return { kind: 'everybody' };
  if (typeof destination === 'string') {
    // A worker without a mirror knows no other's clients; and to adopted sockets the application gives ids of any form.
    const isClient = workerOf(destination) !== undefined || clients.getClient({ clientId: destination }) !== undefined;
    return isClient ? { kind: 'clients', clientIds: [destination] } : { kind: 'rooms', roomNames: [destination] };
  }
  checkNames('destination', destination, ['client', 'user', 'room']);
  const { client, user, room }: { client?: string; user?: string | number; room?: string } = destination;
  const isOne = [client, user, room].filter((name) => name !== undefined).length === 1;
  if (isOne && client !== undefined) return { kind: 'clients', clientIds: [readName('client', client)] };
  if (isOne && user !== undefined) return { kind: 'users', userIds: [readUserId(user)] };
  if (isOne && room !== undefined) return { kind: 'rooms', roomNames: [readName('room', room)] };
  throw new WsError('BAD_MESSAGE', 'A destination is a text, or names one client, user or room.');
}
