import type { ClientManager } from '../clients/client-manager.js';

/** What {@link ServerVerbs} do with single clients: those of the cluster, or of one worker. */
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
