import { createHash } from 'node:crypto';

/** A client of any worker, as far as presence needs it. */
export interface KnownClient {
  readonly clientId: string;
  userId: string | undefined;
  /** What its secret is known by: see {@link digestOf}. */
  resume: string | undefined;
  /** The id of its former connection, whose secret it has presented. */
  resumed: string | undefined;
  /** Whether it is, or was, a client of this worker. */
  readonly isOwn: boolean;
  /** Whether it was connected to a worker that had ended before this one started. */
  isFound: boolean;
  /** Whether its connection has ended. */
  isGone: boolean;
  /** The rooms with presence in which it is, or stays for its grace. */
  rooms: readonly string[];
}

/** The clients that are connected, or stay for their grace, by id and by their secrets. */
export class KnownClients {
  readonly #byId = new Map<string, KnownClient>();
  readonly #byResume = new Map<string, KnownClient>();
  /** The ids of former connections, with those by which they were resumed. */
  readonly #resumed = new Map<string, string>();

  get(clientId: string): KnownClient | undefined {
    return this.#byId.get(clientId);
  }

  add(client: KnownClient): KnownClient {
    this.#byId.set(client.clientId, client);
    if (client.resume !== undefined) this.#byResume.set(client.resume, client);
    if (client.resumed !== undefined) this.#resumed.set(client.resumed, client.clientId);
    return client;
  }

  isResumed(clientId: string): boolean {
    return this.#resumed.has(clientId);
  }

  /** Forgets a client that is gone and stays in no room. */
  settle(client: KnownClient): boolean {
    if (!client.isGone || client.rooms.length > 0) return false;
    if (this.#byId.get(client.clientId) === client) this.#byId.delete(client.clientId);
    if (client.resume !== undefined) this.#byResume.delete(client.resume);
    if (client.resumed !== undefined) this.#resumed.delete(client.resumed);
    return true;
  }

  /** The former connection of a user's client that presents this secret; undefined unless it may be resumed. */
  former(secret: string, userId: string | undefined): KnownClient | undefined {
    const former = this.#byResume.get(digestOf(secret));
    return former && !this.#resumed.has(former.clientId) && former.userId === userId ? former : undefined;
  }
}

/** What a secret is known by: whoever reads Redis cannot present it. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url').slice(0, 22);
}
