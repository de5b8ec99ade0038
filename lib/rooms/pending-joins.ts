import type { WsClient } from '../clients/ws-client.js';
import type { JoinClaim } from './join-claim.js';

/** A join that waits for its room to be live. */
export interface PendingJoin {
  done: Promise<boolean>;
  username: string | undefined;
  broadcast: boolean;
  /** Whether the client itself asked for it: a rule decides about that. */
  readonly isRequest: boolean;
  /** Who has asked for it and may take that back; null: somebody has asked without a claim. */
  claims: Set<JoinClaim> | null;
  /** Left, overtaken or taken back before it was live: it is undone then. */
  cancelled: boolean;
}

/** The joins under way, by client and room, in the order in which they were asked for. */
export class PendingJoins {
  readonly #byClient = new Map<WsClient, Map<string, PendingJoin>>();

  find(client: WsClient, roomName: string): PendingJoin | undefined {
    return this.#byClient.get(client)?.get(roomName);
  }

  countOf(client: WsClient): number {
    return this.#byClient.get(client)?.size ?? 0;
  }

  /** The join becomes the client's newest one. */
  add(client: WsClient, roomName: string, join: PendingJoin): void {
    let joins = this.#byClient.get(client);
    if (!joins) this.#byClient.set(client, (joins = new Map<string, PendingJoin>()));
    joins.delete(roomName);
    joins.set(roomName, join);
  }

  /** The join is over; a newer one of the same room stays. */
  remove(client: WsClient, roomName: string, join: PendingJoin): void {
    const joins = this.#byClient.get(client);
    if (joins?.get(roomName) !== join) return;
    joins.delete(roomName);
    if (joins.size === 0) this.#byClient.delete(client);
  }

  cancelAll(client: WsClient): void {
    for (const join of this.#byClient.get(client)?.values() ?? []) join.cancelled = true;
  }

  /** Cancels the joins of a room that clients have asked for by themselves. */
  cancelRequests(roomName: string): void {
    for (const joins of this.#byClient.values()) {
      const join = joins.get(roomName);
      if (join?.isRequest) join.cancelled = true;
    }
  }

  /** Cancels the joins that were asked for before the one of `roomName`; all of them when it does not wait. */
  cancelBefore(client: WsClient, roomName: string, isSpared: (roomName: string) => boolean): void {
    for (const [name, join] of this.#byClient.get(client) ?? []) {
      if (name === roomName) return;
      if (!isSpared(name)) join.cancelled = true;
    }
  }
}
