import type { ClientCodec, ClientMessage } from './client-codec.interface.js';
import type { ClientEventMap, RequestOptions } from './client-options.interface.js';
import type { ClientRuntime, ClientTimer } from './client-runtime.js';
import type { ConnectionServices } from './connection.js';
import { fieldsOf } from './frame-fields.js';
import { readError } from './server-frame.js';
import { WebSocketClientError } from './websocket-client.error.js';

/** How a client joins a room. */
export interface JoinOptions extends RequestOptions {
  /** The label that the other members see, where the server shows labels. Default: none. */
  username?: string | undefined;
}

/** What the server tells of a room that it let the client into. */
export interface JoinedRoom {
  readonly roomName: string;
  readonly userId?: string | undefined;
  readonly userType?: string | undefined;
  readonly username?: string | undefined;
  /** ISO 8601. */
  readonly joinedAt?: string | undefined;
}

/** Asks the server, and resolves with its answer. */
type Ask = (request: ClientMessage, options: RequestOptions) => Promise<unknown>;
/** Called when the client is not in a room any more that it was in. */
type OnRefused = (room: ClientEventMap['onRoomRefused']) => void;

/** The least wait before a room is tried again that was not to be had just now, in ms; at most twice that. */
const RETRY = 2_000;

interface Membership {
  readonly username: string | undefined;
  /** The server has let the client in. */
  isJoined: boolean;
  /** The request that is under way since the client is back. */
  joining?: Promise<JoinedRoom> | undefined;
  /** When that is made once more. */
  retry?: ClientTimer;
}

/** The rooms that the client is in, so that it is in them again after a reconnect. */
export class Rooms {
  readonly #codec: ClientCodec;
  readonly #request: Ask;
  readonly #refused: OnRefused;
  readonly #runtime: ClientRuntime;
  readonly #memberships = new Map<string, Membership>();
  /** Stands for the connection that the client is on; null between two. */
  #connection: object | null = null;

  constructor({ options, runtime }: ConnectionServices, ask: Ask, refused: OnRefused) {
    this.#codec = options.codec;
    this.#runtime = runtime;
    this.#request = ask;
    this.#refused = refused;
  }

  /** Joins a room, which is remembered once the server has let the client in. */
  async join(roomName: string, { username, ...options }: JoinOptions): Promise<JoinedRoom> {
    const before = this.#memberships.get(roomName);
    // Who joins when the client is back finds the room being joined again: one request, and one answer to it.
    if (before?.joining && before.username === username) return before.joining;
    const membership: Membership = { username, isJoined: false };
    // Where a client is in one room at a time, the one that was joined last is the one: it is joined again last, too.
    this.#forget(roomName);
    this.#memberships.set(roomName, membership);
    try {
      const joined = await this.#ask(roomName, membership, options);
      membership.isJoined = true;
      return joined;
    } catch (error) {
      if (this.#memberships.get(roomName) === membership) {
        if (before) this.#memberships.set(roomName, before);
        else this.#memberships.delete(roomName);
      }
      throw error;
    }
  }

  /** Forgets a room, and leaves it where the client may be in it. */
  async leave(roomName: string, options: RequestOptions): Promise<void> {
    const isJoined = this.#forget(roomName)?.isJoined;
    // A join that waits for the connection is followed by its leave; else there is nothing to leave between two.
    if (this.#connection || isJoined === false) await this.#request(this.#codec.leave(roomName), options);
  }

  /** A connection stands: its server knows nothing of the client's rooms. */
  connected(): void {
    const connection = (this.#connection = {});
    for (const [roomName, membership] of this.#memberships) {
      if (membership.isJoined) void this.#rejoin(roomName, membership, connection);
    }
  }

  /** The connection is gone. */
  disconnected(): void {
    this.#connection = null;
    for (const { retry } of this.#memberships.values()) retry?.cancel();
  }

  async #rejoin(roomName: string, membership: Membership, connection: object): Promise<void> {
    try {
      membership.joining = this.#ask(roomName, membership, {});
      await membership.joining.finally(() => (membership.joining = undefined));
    } catch (error) {
      // Left, joined anew, or to be joined on the next connection.
      if (this.#memberships.get(roomName) !== membership || this.#connection !== connection) return;
      if (error instanceof WebSocketClientError && error.retryable) {
        membership.retry = this.#runtime.timeout(
          RETRY * (1 + this.#runtime.random()),
          () => void this.#rejoin(roomName, membership, connection),
        );
      } else {
        this.#memberships.delete(roomName);
        this.#refused({ roomName, error });
      }
    }
  }

  /** @throws WebSocketClientError the refusal, which one of the two envelopes answers like a success */
  async #ask(roomName: string, { username }: Membership, options: RequestOptions): Promise<JoinedRoom> {
    const { refused, data } = fieldsOf(await this.#request(this.#codec.join(roomName, username), options));
    const refusal = fieldsOf(refused)[0];
    if (refusal !== undefined) throw readError(fieldsOf(refusal));
    return { ...fieldsOf(data), roomName };
  }

  #forget(roomName: string): Membership | undefined {
    const membership = this.#memberships.get(roomName);
    membership?.retry?.cancel();
    this.#memberships.delete(roomName);
    return membership;
  }
}
