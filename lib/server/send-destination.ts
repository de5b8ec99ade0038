import type { ClientManager } from '../clients/client-manager.js';
import type { Target } from '../cluster/envelope.js';
import { WsError } from '../errors/ws.error.js';

/** Whom `WebSocketService.send` sends to. A text is a known client's id, else a room. */
export type SendDestination = string | { client: string } | { user: string | number } | { room: string };

/**
 * The target behind a destination; none is everybody.
 *
 * @throws WsError BAD_MESSAGE for anything else
 */
export function targetOf(destination: SendDestination | undefined, clients: ClientManager): Target {
  if (destination === undefined) return { kind: 'everybody' };
  if (typeof destination === 'string') {
    const isClient = clients.getClient({ clientId: destination }) !== undefined;
    return isClient ? { kind: 'clients', clientIds: [destination] } : { kind: 'rooms', roomNames: [destination] };
  }
  const { client, user, room }: { client?: string; user?: string | number; room?: string } = destination;
  if (client !== undefined) return { kind: 'clients', clientIds: [client] };
  if (user !== undefined) return { kind: 'users', userIds: [String(user)] };
  if (room !== undefined) return { kind: 'rooms', roomNames: [room] };
  throw new WsError('BAD_MESSAGE', 'A destination is a text, or names one client, user or room.');
}
