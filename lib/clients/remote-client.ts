import type { ClientEntry, ClientMetadata, WsUser } from '../ws-client/client-entry.js';
import { lastOf, NONE, withItem, withoutItem, type Few } from '../runtime/few.js';
import { brand } from '../runtime/brand.js';
import { clientJson, type ClientJson } from '../ws-client/client-json.js';
import type { WsClient } from '../ws-client/ws-client.js';

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
  abstract readonly metadata: ClientMetadata;
  /** The rooms that the client is in. */
  abstract readonly rooms: ReadonlySet<string>;
  /** What the client is called in the room where it got a name last. */
  abstract readonly username: string | undefined;

  constructor({ clientId, workerId, connectedAt, user }: Omit<RemoteClientOptions, 'metadata'>) {
    this.clientId = clientId;
    this.workerId = workerId;
    this.connectedAt = this.lastActivity = connectedAt;
    this.user = user;
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
  #rooms: Few<string> = NONE;
  #usernames: Map<string, string> | null = null;
  /** Null: nothing. */
  #metadata: ClientMetadata | null;

  constructor({ metadata, ...options }: RemoteClientOptions) {
    super(options);
    this.#metadata = isEmpty(metadata) ? null : { ...metadata };
  }

  get metadata(): ClientMetadata {
    return (this.#metadata ??= {});
  }

  /** A set that goes with the client, made when it is first read. */
  get rooms(): ReadonlySet<string> {
    if (this.#rooms instanceof Set) return this.#rooms;
    const rooms = new Set(this.#rooms);
    this.#rooms = rooms;
    return rooms;
  }

  /** The same at present, without a set. */
  get roomNames(): Iterable<string> {
    return this.#rooms;
  }

  override get roomName(): string | null {
    return lastOf(this.#rooms) ?? null;
  }

  get username(): string | undefined {
    return [...(this.#usernames?.values() ?? [])].at(-1);
  }

  override toJSON(): ClientJson {
    return clientJson(this, undefined, this.#rooms);
  }

  enter(roomName: string, username: string | undefined): void {
    this.#rooms = withItem(this.#rooms, roomName);
    if (username !== undefined) (this.#usernames ??= new Map<string, string>()).set(roomName, username);
  }

  exit(roomName: string): void {
    this.#rooms = withoutItem(this.#rooms, roomName);
    this.#usernames?.delete(roomName);
  }
}

function isEmpty(values: ClientMetadata): boolean {
  for (const _ in values) return false;
  return true;
}
