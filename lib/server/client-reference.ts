import type { WebSocket } from 'ws';
import type { ClientManager } from '../clients/client-manager.js';
import type { WsClient } from '../clients/ws-client.js';
import { WsError } from '../errors/ws.error.js';
import type { ClientEntry } from '../interfaces/client-entry.interface.js';

/** A socket, the client behind it, or its id. */
export type ClientReference = { ws: WebSocket } | { client: ClientEntry } | { clientId: string };

/**
 * The client of this worker that is meant; undefined when it is gone.
 *
 * @throws WsError BAD_MESSAGE when none of the three is given
 */
export function resolveClient(
  clients: ClientManager,
  { ws, client, clientId }: { ws?: WebSocket; client?: ClientEntry; clientId?: string },
): WsClient | undefined {
  const id = client ? client.clientId : ws ? (clients.getClientId({ ws }) ?? null) : clientId;
  if (id === null) return undefined;
  if (typeof id !== 'string') throw new WsError('BAD_MESSAGE', 'Name the client: ws, client or clientId.');
  return clients.getClient({ clientId: id });
}
