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

/** How many former connections are looked at, so that no record in Redis makes an endless chain. */
const MOST_FORMERS = 100;

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
    if (client.resumed !== undefined) this.#take(client.resumed, client);
    return client;
  }

  /**
   * The ids of its former connections, the latest first: one that was lost again before it had joined its rooms has left them to the
   * one before.
   */
  *formersOf({ resumed }: KnownClient): Generator<string> {
    let former = resumed;
    for (let count = 0; former !== undefined && count < MOST_FORMERS; count++) {
      yield former;
      former = this.#byId.get(former)?.resumed;
    }
  }

  isResumed(clientId: string): boolean {
    return this.#resumed.has(clientId);
  }

  /** Forgets a client that is gone and stays in no room, once nobody can come back to the rooms of its former connection either. */
  settle(client: KnownClient): void {
    let next: KnownClient | undefined = client;
    while (next && this.#forget(next)) next = this.#resumerOf(next.clientId);
  }

  /** The former connection of a user's client that presents this secret; undefined unless it may be resumed. */
  former(secret: string, userId: string | undefined): KnownClient | undefined {
    const former = this.#byResume.get(digestOf(secret));
    return former && !this.#resumed.has(former.clientId) && former.userId === userId ? former : undefined;
  }

  /** @returns false while it has to be known */
  #forget(client: KnownClient): boolean {
    const { clientId, resume, resumed, isGone, rooms } = client;
    if (!isGone || rooms.length > 0) return false;
    const isLatest = resumed !== undefined && this.#resumed.get(resumed) === clientId;
    if (isLatest && this.#byId.has(resumed)) return false;
    if (this.#byId.get(clientId) === client) this.#byId.delete(clientId);
    if (resume !== undefined) this.#byResume.delete(resume);
    if (isLatest) this.#resumed.delete(resumed);
    return true;
  }

  #take(former: string, client: KnownClient): void {
    const other = this.#resumerOf(former);
    this.#resumed.set(former, client.clientId);
    // Both have presented the same secret, to two workers at once.
    if (other && other !== client) this.settle(other);
  }

  #resumerOf(clientId: string): KnownClient | undefined {
    const resumer = this.#resumed.get(clientId);
    return resumer === undefined ? undefined : this.#byId.get(resumer);
  }
}

/** What a secret is known by: whoever reads Redis cannot present it. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url').slice(0, 22);
}
