import type { ClientEntry, ClientMetadata, WsUser } from '../ws-client/client-entry.js';
import { brand } from '../runtime/brand.js';
import { clientJson, type ClientJson } from '../ws-client/client-json.js';
import type { WsClient } from '../ws-client/ws-client.js';

const NO_ROOMS: ReadonlySet<string> = new Set<string>();

/** A client of this worker, or the description of another worker's client: `ws` tells them apart. */
export type AnyClient = WsClient | RemoteClient;

/** What another worker has told of one of its clients. */
export interface RemoteClientOptions {
  readonly clientId: string;
  readonly workerId: string;
  readonly connectedAt: number;
  readonly user: WsUser | null;
  readonly metadata: ClientMetadata;
}

/**
 * A client of another worker, as that worker describes it. It has no socket here: messages reach it by its id, through
 * the verbs that take one.
 */
export abstract class RemoteClient implements ClientEntry {
  static {
    brand(this, 'RemoteClient');
  }

  readonly ws = null;
  readonly clientId: string;
  readonly workerId: string;
  readonly connectedAt: number;
  /** When its worker last told something of it; the client's own messages are not told. */
  lastActivity: number;
  /**
   * With the claims that `cluster.shareUser` names and no others. Reading another one logs a warning, once for each. For
   * that the payload has a prototype of its own; it still equals a plain object with the same fields.
   */
  user: WsUser | null;
  readonly metadata: ClientMetadata;
  /** The rooms that the client is in. */
  abstract readonly rooms: ReadonlySet<string>;
  /** What the client is called in the room where it got a name last. */
  abstract readonly username: string | undefined;

  constructor({ clientId, workerId, connectedAt, user, metadata }: RemoteClientOptions) {
    this.clientId = clientId;
    this.workerId = workerId;
    this.connectedAt = this.lastActivity = connectedAt;
    this.user = user;
    this.metadata = metadata;
  }

  /** The room that the client joined last. */
  get roomName(): string | null {
    return [...this.rooms].at(-1) ?? null;
  }

  /** What `JSON.stringify` sees. */
  toJSON(): ClientJson {
    return clientJson(this);
  }
}

/** A {@link RemoteClient} as the library keeps it: with its rooms, and its name in each. */
export class MirroredClient extends RemoteClient {
  #rooms: Set<string> | null = null;
  #usernames: Map<string, string> | null = null;

  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? NO_ROOMS;
  }

  get username(): string | undefined {
    return [...(this.#usernames?.values() ?? [])].at(-1);
  }

  enter(roomName: string, username: string | undefined): void {
    (this.#rooms ??= new Set()).add(roomName);
    if (username !== undefined) (this.#usernames ??= new Map<string, string>()).set(roomName, username);
  }

  exit(roomName: string): void {
    this.#rooms?.delete(roomName);
    this.#usernames?.delete(roomName);
  }
}
