import type { IncomingHttpHeaders } from 'node:http';
import type { WebSocket } from 'ws';
import type {
  CallAction,
  CallAnswer,
  CallEvent,
  CallMessage,
  CallType,
  DataArgument,
  IfGiven,
  WsMetadataOf,
  SentAction,
  SentEvent,
  SentEventData,
  SentMessage,
  SentType,
  WsUserPayload,
  WebSocketContract,
} from '../protocol/contract.js';
import { brand } from '../runtime/brand.js';
import type { ClientEntry, WsUser } from './client-entry.js';
import type { ClientJson } from './client-json.js';
import type { WsNamespaced } from './room-key.js';
import type { WsRequest } from './ws-request.js';

/** Where a connection is in its life. */
export type WsClientState = 'unauthorized' | 'authenticating' | 'authenticated' | 'disconnected';

/** How long a call waits for its answer. */
export interface WsCallOptions {
  /** Milliseconds; then the call rejects with TIMEOUT. Default: the option `timeouts.call`. */
  timeout?: number | undefined;
  /** Gives the call up: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** What a client shows of the connection behind it: the session, which stands above this folder. */
export interface ShownSession<C extends WebSocketContract = WebSocketContract> extends Omit<
  WsClient<C>,
  'ip' | 'headers' | 'send' | 'emit' | 'call' | typeof INSPECT
> {
  send(message: unknown): boolean;
  emit(event: unknown, data: unknown): boolean;
  call(message: unknown, options: WsCallOptions | undefined): Promise<unknown>;
}

/** The method by which Node's `console.log` and `util.inspect` ask an object for what they show of it. */
const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom');

let create: (session: ShownSession) => WsClient;

/**
 * One connection of this worker: what gateways get as `@ConnectedSocket()`. It stays readable after the connection has
 * closed (`handleDisconnect` still sees its user and rooms); sends then do nothing. A rejection of `join` or `call` that
 * nobody handles goes to the log and `events.onError`.
 *
 * @typeParam C the contract with the clients, as in `@ConnectedSocket() client: WsClient<Chat>`: the types of its pushes,
 * calls, users and metadata
 */
export class WsClient<C extends WebSocketContract = WebSocketContract> implements ClientEntry<C> {
  static {
    brand(this, 'WsClient');
    create = (session) => new WsClient(session);
  }

  readonly #session: ShownSession<C>;

  /** The library makes one for each connection that it accepts. */
  private constructor(session: ShownSession<C>) {
    this.#session = session;
  }

  /** Unique among all clients of all workers. */
  get clientId(): string {
    return this.#session.clientId;
  }

  get state(): WsClientState {
    return this.#session.state;
  }

  /**
   * Who the client is, from its verified credentials; null for an anonymous one. It cannot be assigned, as guards written
   * for HTTP do with `request.user`: sessions, rooms and revocation depend on it.
   */
  get user(): WsUser<WsUserPayload<C>> | null {
    return this.#session.user;
  }

  /** The rooms that the client is in. With `rooms.namespace` by their keys, which `readRoomKey` takes apart. */
  get rooms(): ReadonlySet<string> {
    return this.#session.rooms;
  }

  /** The room that was joined last and is still joined, or null. */
  get roomName(): string | null {
    return this.#session.roomName;
  }

  /**
   * The application's own data; `ClientManager.updateClient` changes it from anywhere. A value that is put into it here and
   * has no JSON form stays on this worker.
   */
  get metadata(): WsMetadataOf<C> {
    return this.#session.metadata;
  }

  /** When the connection was accepted, in ms since 1970. */
  get connectedAt(): number {
    return this.#session.connectedAt;
  }

  /** When the client last sent something, in ms since 1970. */
  get lastActivity(): number {
    return this.#session.lastActivity;
  }

  /** The upgrade request: `url`, `headers`, `ip`, `params`, `query`. */
  get request(): WsRequest {
    return this.#session.request;
  }

  /**
   * The address that the client connected from: the peer's, or what trusted proxies say (`trustProxy`). It has this name
   * because guards written for HTTP, such as `ThrottlerGuard`, read it.
   */
  get ip(): string {
    return this.request.ip;
  }

  /** The headers of the upgrade request. */
  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  /** The path of the endpoint that the client connected to: `/ws/:tenant` where it has parameters. */
  get path(): string {
    return this.#session.path;
  }

  /** The worker that holds the connection: this one. */
  get workerId(): string {
    return this.#session.workerId;
  }

  /**
   * The socket, for reading its state and events. Its `send` goes through the outbox as ready text, and throws once the
   * client is encrypted.
   */
  get ws(): WebSocket {
    return this.#session.ws;
  }

  /** The socket's `readyState`: 1 while messages can be sent. */
  get readyState(): number {
    return this.#session.readyState;
  }

  /** True while more bytes wait for this client than its budget allows. */
  get backpressured(): boolean {
    return this.#session.backpressured;
  }

  /** Whether the frames of this connection are encrypted by the protocol itself, in addition to TLS. */
  get encrypted(): boolean {
    return this.#session.encrypted;
  }

  /**
   * Sends a message to this client alone, after everything that was sent before.
   *
   * @param message a message in either shape, any other JSON value, or a string, which is sent unchanged (ready text)
   * @returns false when the client is gone
   * @throws WsError BAD_MESSAGE when the message has no JSON form, TOO_LARGE over `limits.maxPushBytes`; nothing is sent then
   */
  send<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(message: SentMessage<C, Type, Action, Event, unknown> | string): boolean;
  send(message: unknown): boolean {
    return this.#session.send(message);
  }

  /**
   * Sends an event to this client alone, as Socket.IO's sockets do: `send({ event, data })`.
   *
   * @returns false when the client is gone
   * @throws WsError BAD_MESSAGE when the event is not a string, or the data has no JSON form, TOO_LARGE over
   * `limits.maxPushBytes`; nothing is sent then
   */
  emit<Event extends SentEvent<C>>(
    event: IfGiven<C, 'pushes', Event, string>,
    ...rest: IfGiven<C, 'pushes', DataArgument<SentEventData<C, Event>>, [data?: unknown]>
  ): boolean;
  emit(event: unknown, data?: unknown): boolean {
    return this.#session.emit(event, data);
  }

  /**
   * Asks the client and resolves with its answer. A handler may call its own client: the answer does not wait in the queue
   * behind that handler.
   *
   * @param message a message in either shape
   * @throws WsError TIMEOUT when there is no answer in time; UNAVAILABLE when the client is gone, or goes; BAD_MESSAGE
   * when the message cannot be sent, and for unknown options; TOO_LARGE over `limits.maxPushBytes`; RATE_LIMITED with 1,024 calls open; else the code that the
   * client refused with, its own words in `cause`. With a signal: the signal's reason.
   */
  call<
    Type extends CallType<C> = never,
    Action extends CallAction<C, Type> = never,
    Event extends CallEvent<C> = never,
  >(message: CallMessage<C, Type, Action, Event>, options?: WsCallOptions): Promise<CallAnswer<C, Type, Action, Event>>;
  call(message: unknown, options?: WsCallOptions): Promise<unknown> {
    return this.#session.call(message, options);
  }

  /**
   * Puts the client into a room: true once it receives what is sent there, false when it is gone.
   *
   * @throws WsError INVALID_ROOM, ROOM_LIMIT, BAD_MESSAGE for wrong options, CONFLICT for a second room that the client calls the
   * same (`rooms.namespace`), UNAVAILABLE and TIMEOUT
   */
  join(roomName: string, options?: WsNamespaced): Promise<boolean> {
    return this.#session.join(roomName, options);
  }

  /** Takes the client out of a room, and tells it so (`room.left`); does nothing when it is not in it. */
  leave(roomName: string, options?: WsNamespaced): void {
    this.#session.leave(roomName, options);
  }

  /**
   * Closes the connection after everything that was sent before; another call does nothing.
   *
   * @param code 1000 or 3000–4999; default 4506, after which clients do not reconnect by themselves
   * @param reason for people, cut to the 123 bytes that a close frame holds
   * @throws WsError BAD_MESSAGE for any other code
   */
  close(code?: number, reason?: string): void {
    this.#session.close(code, reason);
  }

  /**
   * What `JSON.stringify` sees: who the client is, as every other worker sees it. Of the user's payload it has the claims
   * that `cluster.shareUser` names.
   */
  toJSON(): ClientJson {
    return this.#session.toJSON();
  }

  /** What `console.log` shows: the same as {@link toJSON}, since the class has no fields of its own. */
  [INSPECT](): ClientJson {
    return this.toJSON();
  }
}

/** The client that the application sees of a session. */
export function clientOf(session: ShownSession): WsClient {
  return create(session);
}
