import type { WebSocket } from 'ws';
import type { ClientManager } from './client-manager.js';
import { WsError } from '../../errors/ws.error.js';
import type { ClientEntry } from '../../ws-client/client-entry.js';

/** A socket, the client behind it, or its id. */
export type ClientReference = { ws: WebSocket } | { client: ClientEntry } | { clientId: string };

/**
 * The id of the client that is meant; undefined when its socket is no client of this worker.
 *
 * @throws WsError BAD_MESSAGE when none of the three is given
 */
export function clientIdOf(
  clients: Pick<ClientManager, 'getClientId'>,
  { ws, client, clientId }: { ws?: WebSocket; client?: ClientEntry; clientId?: string },
): string | undefined {
  if (ws && !client) return clients.getClientId({ ws });
  const id = client ? client.clientId : clientId;
  if (typeof id !== 'string') throw new WsError('BAD_MESSAGE', 'Name the client: ws, client or clientId.');
  return id;
}
