import type { WsClient } from '../clients/ws-client.js';

/**
 * Stands for who has asked for joins, from then until the client (or the caller) has been told what became of them. Until
 * then they can be taken back: who is told that it took too long must not find itself in the room.
 */
export class JoinClaim {
  /** What was asked for. */
  readonly joins: [client: WsClient, roomName: string][] = [];
  isWithdrawn = false;
}
