import { once } from 'node:events';
import { WebSocket, type ClientOptions, type RawData } from 'ws';
import type {
  WsAnyAction,
  DataArgument,
  IfGiven,
  RouteAction,
  RouteData,
  RouteEvent,
  RouteMessage,
  RouteReply,
  RouteType,
  WebSocketContract,
  WhisperAction,
  WhisperData,
} from '../protocol/contract.js';
import type { ErrorPayload } from '../protocol/messages.js';
import type { WsMemberList } from '../protocol/presence.js';
import { eventOfRoute, routeOfEvent } from '../protocol/route-key.js';
import { MessageQueue } from './message-queue.js';
import type { WsTestJoined, WsTestJoinOptions } from './ws-test-join.interface.js';
import type { WsTestClose, WsTestMessage } from './ws-test-message.interface.js';
import { WsTestRefusalError } from './ws-test-refusal.error.js';

/** Below the 5 s after which Jest and Vitest end a test, so that the error shows what arrived instead. */
const PATIENCE = 4_000;

/** How a {@link WsTestClient} connects: the options of `ws` (`headers`, `origin`, …) and these. */
export interface WsTestClientOptions extends ClientOptions {
  /** The offered subprotocols. */
  protocols?: string[] | undefined;
  /** Sent as `Authorization: Bearer <token>`. */
  token?: string | undefined;
  /** How long to wait for the upgrade and for each message, in ms. Default: 4 000, before the test runner gives up. */
  patience?: number | undefined;
}

/**
 * A connection with a queue: a test awaits the next message instead of sleeping. It uses the codec of the server's welcome; with
 * `event.v1`, an event `a:b` has the type `a` and the action `b`.
 *
 * @typeParam C the contract with the server, which types `send`, `request` and `call`
 */
export class WsTestClient<C extends WebSocketContract = WebSocketContract> {
  /** Resolves when the connection is closed. */
  readonly closed: Promise<WsTestClose>;
  #clientId = '';
  #userId: string | undefined;
  #resume: string | undefined;
  #lastId = 0;
  #speaksEvents = false;

  private constructor(
    /** The socket, for what this class has no method for: pausing, pinging, terminating. */
    readonly socket: WebSocket,
    private readonly queue: MessageQueue<unknown>,
  ) {
    socket.on('message', (data) => queue.push(parse(data)));
    // A `close` follows each error; before `open`, the static method `open` rejects with it.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        const close = { code, reason: reason.toString() };
        queue.end(`before the connection was closed with ${code}${close.reason && ` (${close.reason})`}`);
        resolve(close);
      });
    });
  }

  /**
   * Opens a connection without waiting for a welcome: for servers that authenticate by message, and for refusals.
   *
   * @param url `ws:` or `wss:`
   * @throws Error `Unexpected server response: <status>` when the upgrade is refused; `Opening handshake has timed out` when
   * the server does not answer
   */
  static async open<C extends WebSocketContract = WebSocketContract>(
    url: string,
    options: WsTestClientOptions = {},
  ): Promise<WsTestClient<C>> {
    const { protocols = [], token, patience = PATIENCE, headers, ...rest } = options;
    const authorization = token === undefined ? undefined : { authorization: `Bearer ${token}` };
    const settings = { handshakeTimeout: patience, ...rest, headers: { ...authorization, ...headers } };
    const socket = new WebSocket(url, protocols, settings);
    const client = new WsTestClient<C>(socket, new MessageQueue(patience));
    await once(socket, 'open');
    return client;
  }

  /** Opens a connection and takes its welcome: `connected`, and for a user `authenticated`. */
  static async connect<C extends WebSocketContract = WebSocketContract>(
    url: string,
    options?: WsTestClientOptions,
  ): Promise<WsTestClient<C>> {
    const client = await WsTestClient.open<C>(url, options);
    await client.welcomed();
    return client;
  }

  /** Takes the welcome from the queue: after {@link open}, when the client has authenticated by message. */
  async welcomed(): Promise<void> {
    const { event, data } = await this.#take('The welcome', isWelcome);
    const { clientId, id, userId, resume } = data as Welcomed;
    this.#speaksEvents = event !== undefined;
    this.#clientId = clientId ?? id ?? '';
    this.#userId = userId ?? undefined;
    this.#resume = resume;
    if (this.#userId !== undefined && !this.#speaksEvents) await this.next('auth', 'authenticated');
  }

  /** The client id of the welcome; empty before it. */
  get clientId(): string {
    return this.#clientId;
  }

  /** The user id of the welcome; undefined for an anonymous client. */
  get userId(): string | undefined {
    return this.#userId;
  }

  /**
   * The secret of the welcome, where rooms have presence: a client that connects with it as the query parameter `resume` is the same
   * member of its rooms.
   */
  get resume(): string | undefined {
    return this.#resume;
  }

  /** The messages that arrived and were not taken. */
  get pending(): readonly WsTestMessage[] {
    return this.queue.pending as WsTestMessage[];
  }

  /** Sends a message; a string goes out as it is. */
  send<
    Type extends RouteType<C> = never,
    Action extends WsAnyAction<C, Type> = never,
    Event extends RouteEvent<C> = never,
  >(
    ...message: IfGiven<C, 'routes', [message: RouteMessage<C, Type, Action, Event> | string], [message: unknown]>
  ): void;
  send(message: unknown): void {
    this.#write(message);
  }

  /**
   * Sends a request and resolves with the handler's answer.
   *
   * @throws WsTestRefusalError when the server refuses it
   */
  request<Type extends RouteType<C>, Action extends RouteAction<C, Type>>(
    type: Type,
    action: Action,
    ...rest: DataArgument<RouteData<C, Type, Action>>
  ): Promise<RouteReply<C, Type, Action>>;
  request(type: string, action: string, data?: unknown): Promise<unknown> {
    return this.#request(type, action, data);
  }

  async #request(type: string, action: string, data: unknown): Promise<unknown> {
    const reply = await this.#call(type, action, data);
    if (reply.type === 'error') throw new WsTestRefusalError(reply.data as ErrorPayload);
    if (reply.event === 'error') throw new WsTestRefusalError(errorOf(reply.data));
    return this.#speaksEvents ? reply.data : reply.response;
  }

  /** Sends a request and resolves with the frame that answers it, a reply or an error. */
  call<Type extends RouteType<C>, Action extends WsAnyAction<C, Type>>(
    type: Type,
    action: Action,
    ...rest: DataArgument<RouteData<C, Type, Action>>
  ): Promise<WsTestMessage>;
  call(type: string, action: string, data?: unknown): Promise<WsTestMessage> {
    return this.#call(type, action, data);
  }

  #call(type: string, action: string, data: unknown): Promise<WsTestMessage> {
    const id = `t${++this.#lastId}`;
    this.#write(this.#speaksEvents ? { event: eventOfRoute(type, action), data, id } : { type, action, data, id });
    return this.#take(`The answer to ${type}.${action}`, (message) => message.id === id);
  }

  #write(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Answers a call of the server that {@link next} returned. */
  answer({ callId }: WsTestMessage, response?: unknown): void {
    const data = { callId, response };
    this.#write(this.#speaksEvents ? { event: 'system:answer', data } : { type: 'system', action: 'answer', data });
  }

  /** Joins a room; rejects when the server refuses. In a room with history it resolves with where the client stands. */
  async join(roomName: string, options: WsTestJoinOptions = {}): Promise<WsTestJoined> {
    const answer = await this.#request('system', 'joinRoom', { ...options, roomName });
    return fieldsOf(answer).data as WsTestJoined;
  }

  /**
   * Who is in a room with presence, for its members.
   *
   * @param page which of them; without it the first ones
   */
  async members(roomName: string, page: { limit?: number; after?: string } = {}): Promise<WsMemberList> {
    return (await this.#request('system', 'members', { ...page, roomName })) as WsMemberList;
  }

  /** Whispers to the other members of a room; rejects when the server refuses. */
  async whisper<Action extends WhisperAction<C>>(
    roomName: string,
    action: Action,
    ...[data]: DataArgument<WhisperData<C, Action>>
  ): Promise<void> {
    await this.#request('system', 'whisper', { roomName, action, data });
  }

  /** The next message, or the next one of a type, or of a type and action; the others stay in the queue. */
  next(type?: string, action?: string): Promise<WsTestMessage> {
    return this.#take(`The next ${type === undefined ? 'message' : `${type}.${action ?? '*'}`}`, (message) => {
      const names = message.event === undefined ? message : routeOfEvent(message.event);
      return (type === undefined || names.type === type) && (action === undefined || names.action === action);
    });
  }

  /** The next message that fits; the others stay in the queue. */
  take(fits: (message: WsTestMessage) => boolean): Promise<WsTestMessage> {
    return this.#take('A message that fits', fits);
  }

  /** Rejects when a message is in the queue, or arrives within `ms`. */
  expectNothing(ms = 100): Promise<void> {
    return this.queue.expectNothing(ms);
  }

  /** Closes the connection and resolves once it is closed. */
  close(code = 1000, reason?: string): Promise<WsTestClose> {
    this.socket.close(code, reason);
    return this.closed;
  }

  #take(what: string, fits: (message: WsTestMessage) => boolean): Promise<WsTestMessage> {
    return this.queue.take(what, (message) => fits(fieldsOf(message))) as Promise<WsTestMessage>;
  }
}

/** The fields of a welcome in either codec. */
interface Welcomed {
  readonly clientId?: string;
  readonly id?: string;
  readonly userId?: string | null;
  readonly resume?: string;
}

function isWelcome({ type, action, event }: WsTestMessage): boolean {
  return event === 'connected' || (type === 'system' && action === 'connected');
}

/** Converts an error of `event.v1` to the form of the other codec. */
function errorOf(data: unknown): ErrorPayload {
  const { message, ...error } = data as ErrorPayload & { message: string };
  return { ...error, error: message };
}

function parse(data: RawData): unknown {
  const text = (data as Buffer).toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The fields of a message; a server may push a value without fields, such as null. */
function fieldsOf(message: unknown): WsTestMessage {
  return typeof message === 'object' && message !== null ? message : {};
}
