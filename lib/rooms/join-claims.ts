import type { ClientSession } from '../clients/session/client-session.js';

/**
 * Stands for a caller that has asked for joins, until it has been told their outcome. Until then the joins can be taken
 * back: a caller that is told that a join took too long must not find the client in the room.
 */
export class JoinClaim {
  /** What the caller has asked for. */
  readonly joins: [client: ClientSession, roomName: string][] = [];
  isWithdrawn = false;
}

/**
 * The memberships that end when all callers that asked for them withdraw. A membership that was asked for without a claim
 * is not in here, and stays.
 */
export class ClaimedMemberships {
  readonly #byClient = new Map<ClientSession, Map<string, Set<JoinClaim>>>();

  /** @param claims null: somebody has asked for the membership without a claim */
  begin(client: ClientSession, roomName: string, claims: Set<JoinClaim> | null): void {
    if (!claims) return;
    let rooms = this.#byClient.get(client);
    if (!rooms) this.#byClient.set(client, (rooms = new Map<string, Set<JoinClaim>>()));
    rooms.set(roomName, claims);
  }

  /** Notes one more request for the membership. */
  join(client: ClientSession, roomName: string, claim: JoinClaim | undefined): void {
    if (claim) this.#byClient.get(client)?.get(roomName)?.add(claim);
    else this.forget(client, roomName);
  }

  /** Takes a claim back. Returns whether it was the last one, so that the membership has to end. */
  withdraw(client: ClientSession, roomName: string, claim: JoinClaim): boolean {
    const claims = this.#byClient.get(client)?.get(roomName);
    return claims?.delete(claim) === true && claims.size === 0;
  }

  /** Keeps the membership for good if this claim is one of its claims. */
  confirm(client: ClientSession, roomName: string, claim: JoinClaim): void {
    if (this.#byClient.get(client)?.get(roomName)?.has(claim)) this.forget(client, roomName);
  }

  /** Forgets the claims of a membership that has ended, or that stays for good. */
  forget(client: ClientSession, roomName: string): void {
    const rooms = this.#byClient.get(client);
    if (rooms?.delete(roomName) && rooms.size === 0) this.#byClient.delete(client);
  }

  forgetAll(client: ClientSession): void {
    this.#byClient.delete(client);
  }
}
