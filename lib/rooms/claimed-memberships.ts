import type { WsClient } from '../clients/ws-client.js';
import type { JoinClaim } from './join-claim.js';

/**
 * The memberships that have begun, and that end again when all who asked for them take that back. Nobody else has asked for
 * them; without a claim a membership stays.
 */
export class ClaimedMemberships {
  readonly #byClient = new Map<WsClient, Map<string, Set<JoinClaim>>>();

  /** @param claims null: somebody has asked for the membership without a claim */
  begin(client: WsClient, roomName: string, claims: Set<JoinClaim> | null): void {
    if (!claims) return;
    let rooms = this.#byClient.get(client);
    if (!rooms) this.#byClient.set(client, (rooms = new Map<string, Set<JoinClaim>>()));
    rooms.set(roomName, claims);
  }

  /** The membership is asked for once more. */
  join(client: WsClient, roomName: string, claim: JoinClaim | undefined): void {
    if (claim) this.#byClient.get(client)?.get(roomName)?.add(claim);
    else this.forget(client, roomName);
  }

  /** Whether the membership was claimed by this one, and is by nobody any more. */
  withdraw(client: WsClient, roomName: string, claim: JoinClaim): boolean {
    const claims = this.#byClient.get(client)?.get(roomName);
    return claims?.delete(claim) === true && claims.size === 0;
  }

  /** The membership stays, if it was claimed by this one. */
  confirm(client: WsClient, roomName: string, claim: JoinClaim): void {
    if (this.#byClient.get(client)?.get(roomName)?.has(claim)) this.forget(client, roomName);
  }

  /** The membership has ended, or stays. */
  forget(client: WsClient, roomName: string): void {
    const rooms = this.#byClient.get(client);
    if (rooms?.delete(roomName) && rooms.size === 0) this.#byClient.delete(client);
  }

  forgetAll(client: WsClient): void {
    this.#byClient.delete(client);
  }
}
