import type { ClientManager } from '../../clients/client-manager.js';

/** The part of {@link ClientManager} that a subscriber gets as `webSocketServer.clientManager`. */
export type ClientVerbs = Pick<
  ClientManager,
  | 'addClient'
  | 'broadcastClientList'
  | 'cleanup'
  | 'disconnectClient'
  | 'getClient'
  | 'getClientByKey'
  | 'getClientId'
  | 'getClients'
  | 'getClientsByRoom'
  | 'getClientsByUser'
  | 'removeClient'
  | 'size'
  | 'updateClient'
>;
