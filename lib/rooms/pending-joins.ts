import type { ClientSession } from '../clients/session/client-session.js';
import type { JoinClaim } from './join-claims.js';

/** A join that waits for the rules, or for what is sent to the room to reach this worker. */
export interface PendingJoin {
  done: Promise<boolean>;
  username: string | undefined;
  broadcast: boolean;
  /** Whether the client itself asked for it, so that `rooms.authorize` decides. */
  readonly isRequest: boolean;
  /** The callers that asked for it and may take it back; null: somebody has asked without a claim. */
  claims: Set<JoinClaim> | null;
  /** True: the client does not enter the room once it is ready. It has left, joined another room, or the join was taken back. */
  cancelled: boolean;
}

/** The pending joins, by client and room, in the order in which they were asked for. */
export class PendingJoins {
  readonly #byClient = new Map<ClientSession, Map<string, PendingJoin>>();

  find(client: ClientSession, roomName: string): PendingJoin | undefined {
    return this.#byClient.get(client)?.get(roomName);
  }

  countOf(client: ClientSession): number {
    return this.#byClient.get(client)?.size ?? 0;
  }

  /** The rooms that the client is about to enter. */
  wantedBy(client: ClientSession): string[] {
    return [...(this.#byClient.get(client) ?? [])].flatMap(([roomName, { cancelled }]) =>
      cancelled ? [] : [roomName],
    );
  }

  /** Adds a join as the client's newest one. */
  add(client: ClientSession, roomName: string, join: PendingJoin): void {
    let joins = this.#byClient.get(client);
    if (!joins) this.#byClient.set(client, (joins = new Map<string, PendingJoin>()));
    joins.delete(roomName);
    joins.set(roomName, join);
  }

  /** Removes a join that is over; a newer one of the same room stays. */
  remove(client: ClientSession, roomName: string, join: PendingJoin): void {
    const joins = this.#byClient.get(client);
    if (joins?.get(roomName) !== join) return;
    joins.delete(roomName);
    if (joins.size === 0) this.#byClient.delete(client);
  }

  cancelAll(client: ClientSession): void {
    for (const join of this.#byClient.get(client)?.values() ?? []) join.cancelled = true;
  }

  /** Cancels the joins of a room that the clients themselves have asked for. */
  cancelRequests(roomName: string): void {
    for (const joins of this.#byClient.values()) {
      const join = joins.get(roomName);
      if (join?.isRequest) join.cancelled = true;
    }
  }

  /** The joins that the client itself has asked for. */
  requestsOf(client: ClientSession): [roomName: string, done: Promise<boolean>][] {
    const joins = [...(this.#byClient.get(client) ?? [])];
    return joins.flatMap(([roomName, { isRequest, done }]) => (isRequest ? [[roomName, done]] : []));
  }

  /** The joins of a room that the clients themselves have asked for. */
  requestsFor(roomName: string): [client: ClientSession, done: Promise<boolean>][] {
    return [...this.#byClient].flatMap(([client, joins]) => {
      const join = joins.get(roomName);
      return join?.isRequest ? [[client, join.done]] : [];
    });
  }

  /** Cancels the client's joins that were asked for before the one of `roomName`; all of them when that one is not pending. */
  cancelBefore(client: ClientSession, roomName: string, stays: (roomName: string) => boolean): void {
    for (const [name, join] of this.#byClient.get(client) ?? []) {
      if (name === roomName) return;
      if (!stays(name)) join.cancelled = true;
    }
  }
}
