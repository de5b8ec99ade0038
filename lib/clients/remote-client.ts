import type { ClientEntry, ClientMetadata, WsUser } from '../ws-client/client-entry.js';
import { brand } from '../runtime/brand.js';

import { clientJson, type ClientJson } from '../ws-client/client-json.js';

const NO_ROOMS: ReadonlySet<string> = new Set<string>();

/** What another worker has told of one of its clients. */
export interface RemoteClientOptions {
  readonly clientId: string;
  readonly workerId: string;
  readonly connectedAt: number;
  readonly user: WsUser | null;
  readonly metadata: ClientMetadata;
}

/**
 * A client of another worker, as that worker tells of it. It has no socket here: messages go to it by its id, through
 * the verbs that take one.
 */
export class RemoteClient implements ClientEntry {
  static {
    brand(this, 'RemoteClient');
  }

  readonly ws = null;
  readonly clientId: string;
  readonly workerId: string;
  readonly connectedAt: number;
  /** When its worker last told something of it; what it sends is not told. */
  lastActivity: number;
  /**
   * With the claims that `cluster.shareUser` names and no others. Looking for another one is a warning, once for each, for
   * which the payload has a prototype of its own: it equals a plain object by what it holds.
   */
  user: WsUser | null;
  readonly metadata: ClientMetadata;
  #rooms: Set<string> | null = null;
  #usernames: Map<string, string> | null = null;

  /** Entries of other workers are made by the mirror. */
  constructor({ clientId, workerId, connectedAt, user, metadata }: RemoteClientOptions) {
    this.clientId = clientId;
    this.workerId = workerId;
    this.connectedAt = this.lastActivity = connectedAt;
    this.user = user;
    this.metadata = metadata;
  }

  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? NO_ROOMS;
  }

  get roomName(): string | null {
    return [...this.rooms].at(-1) ?? null;
  }

  /** What it is called where it got a name last. */
  get username(): string | undefined {
    return [...(this.#usernames?.values() ?? [])].at(-1);
  }

  /** What `JSON.stringify` sees. */
  toJSON(): ClientJson {
    return clientJson(this);
  }

  /** @internal What it is called in one of its rooms. */
  usernameIn(roomName: string): string | undefined {
    return this.#usernames?.get(roomName);
  }

  /** @internal */
  enter(roomName: string, username: string | undefined): void {
    (this.#rooms ??= new Set()).add(roomName);
    if (username !== undefined) (this.#usernames ??= new Map<string, string>()).set(roomName, username);
  }

  /** @internal */
  exit(roomName: string): void {
    this.#rooms?.delete(roomName);
    this.#usernames?.delete(roomName);
  }
}
