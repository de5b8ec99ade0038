import type {
  WsAnyAction,
  CallAction,
  CallData,
  CallReply,
  CallType,
  DataArgument,
  DataArguments,
  PushAction,
  PushData,
  PushType,
  RouteAction,
  RouteData,
  RouteReply,
  RouteType,
  StreamAction,
  StreamValue,
  WebSocketContract,
  WhisperAction,
  WhisperData,
} from '../protocol/contract.js';
import { routeKey } from '../protocol/route-key.js';
import { allowanceOf } from './messages/allowance.js';
import { resolveClientOptions } from './options/client-options.js';
import type { RequestOptions, WebSocketClientOptions } from './options/client-options.interface.js';
import { ClientReports, type StateListener } from './client-reports.js';
import { ClientRuntime, type ClientTimer } from './options/client-runtime.js';
import type { Arrival, ClientState, ConnectionStatus, Loss, StateChange } from './connection/client-state.js';
import type { ConnectionServices } from './connection/connection.js';
import { ConnectionSupervisor } from './connection/connection.supervisor.js';
import type { Ending } from './connection/ending.js';
import { NO_JSON } from './messages/client-message.js';
import { fieldsOf } from './messages/frame-fields.js';
import { Listeners, type Unsubscribe } from './listeners.js';
import { Outbound } from './messages/outbound.js';
import type { CallHandler, PushedMessage, PushHandler } from './messages/handlers.interface.js';
import { ReconnectPolicy } from './connection/reconnect-policy.js';
import type { RoomHandle, RoomOptions } from './room-handle.interface.js';
import type { RoomPresence } from './room-presence.interface.js';
import type { HistoryPage, HistoryRange, RoomPosition } from './room-recovery.interface.js';
import type { JoinedRoom, JoinOptions, LeaveOptions } from './room-joins.interface.js';
import { Rooms } from './rooms.js';
import type { CallFrame, PushFrame, ServerFrame } from './messages/server-frame.js';
import { TokenSource } from './connection/token-source.js';
import { badOption, WebSocketClientError } from './websocket-client.error.js';
import type { Welcome } from './welcome.js';

const UNNAMED = 'The server does not name rooms (rooms.named).';

/**
 * A client of a `PxlWebSocketModule` server, for browsers and Node: one connection that reconnects, with requests, streams,
 * rooms and pushes.
 *
 * @typeParam C the contract with the server; without one all data is `unknown`
 *
 * @example
 * const client = new WebSocketClient<Chat>({ url: 'wss://example.com/ws' });
 * client.on('chat', 'message', ({ from, text }) => show(from, text));
 * await client.connect();
 * await client.join('lobby');
 * const { sent } = await client.request('chat', 'send', { text: 'Hello' });
 */
export class WebSocketClient<C extends WebSocketContract = WebSocketContract> {
  /** The end of a connection that this is, as in PXL. */
  readonly type = 'client';
  readonly #services: ConnectionServices;
  readonly #reports: ClientReports;
  readonly #policy: ReconnectPolicy;
  readonly #supervisor: ConnectionSupervisor;
  readonly #outbound: Outbound;
  readonly #rooms: Rooms;
  /** The handlers of pushes, by route key. They outlive connections. */
  readonly #pushHandlers: Listeners<Parameters<PushHandler>>;
  /** The listeners to all pushes of a room, by room; those under null listen to every push. */
  readonly #pushListeners: Listeners<[message: PushedMessage]>;
  /** The handlers of the server's requests, by route key. */
  readonly #callHandlers: Listeners<Parameters<CallHandler>>;
  /** Runs while `onConnected` does: after it the client goes on without waiting. */
  #greeting: ClientTimer | null = null;
  /** The latest welcome since `connect()`. */
  #welcome: Welcome | undefined;
  #isDestroyed = false;

  /** @throws WebSocketClientError BAD_OPTION for the first option that is wrong */
  constructor(options: WebSocketClientOptions);
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- stripInternal drops overloads, not parameters
  /** @internal */ constructor(options: WebSocketClientOptions, runtime: ClientRuntime);
  constructor(options: WebSocketClientOptions, runtime = new ClientRuntime()) {
    const resolved = resolveClientOptions(options);
    const reports = (this.#reports = new ClientReports(resolved.events));
    const { failed } = reports;
    this.#pushHandlers = new Listeners(failed);
    this.#pushListeners = new Listeners(failed);
    this.#callHandlers = new Listeners(failed);
    const services = (this.#services = {
      options: resolved,
      tokens: new TokenSource(resolved, runtime, (error) => reports.tell('onError', { error })),
      runtime,
      allowance: allowanceOf({}, resolved, runtime),
    });
    this.#policy = new ReconnectPolicy(resolved.reconnect, runtime);
    this.#supervisor = new ConnectionSupervisor(services, this.#policy, {
      connecting: (change) => reports.changed(change),
      connected: (change, welcome) => this.#connected(change, welcome),
      ended: (change, ending) => this.#ended(change, ending),
      received: (frame) => this.#received(frame),
    });
    this.#outbound = new Outbound(services, this.#supervisor, (dropped) => reports.tell('onDropped', dropped));
    this.#rooms = new Rooms(services, this.#outbound, reports);
  }

  /** The state of the client; `onState` listens to its changes. */
  get state(): ClientState {
    return this.#supervisor.state;
  }

  /** The latest change of the state with its reason; null before the first one. The same object until the next change. */
  get lastChange(): StateChange | null {
    return this.#reports.lastChange;
  }

  /** The id that the server gave this connection; null without a connection, and when the server tells none. */
  get clientId(): string | null {
    const { clientId } = this.#welcome ?? {};
    return clientId && this.isClientConnected() ? clientId : null;
  }

  /**
   * Connects, and stays connected. Resolves with the server's welcome, however many attempts that takes. While the client waits
   * for its next attempt, the attempt is made at once. The promise may be left unawaited, since `onState` shows a failure too.
   *
   * @throws WebSocketClientError when the client stops before: `UNAUTHENTICATED`, `FORBIDDEN`, `UNAVAILABLE` and others, with the
   * server's `closeCode`
   */
  connect(): Promise<Welcome> {
    if (!this.#isDestroyed) return this.#supervisor.connect();
    return Promise.reject(badOption('destroy() was called.'));
  }

  /** The same as {@link connect}. */
  connectToServer(): Promise<Welcome> {
    return this.connect();
  }

  /**
   * Ends the connection, or the attempts to get one. What was sent before still leaves, within a second. Requests reject with
   * `UNAVAILABLE`; handlers and rooms are kept for the next `connect()`.
   */
  disconnect(): void {
    this.#supervisor.disconnect();
  }

  /** Ends the client for good: as {@link disconnect}, and every further `connect()` rejects. */
  destroy(): void {
    this.#isDestroyed = true;
    this.disconnect();
  }

  /**
   * Sends a request and resolves with the answer. Without a connection the request waits for one. A server of the PXL framework
   * (`server: 'other'`) answers by names, so a request waits there for earlier ones of the same names.
   *
   * @throws WebSocketClientError with the server's code; `TIMEOUT`; `UNAVAILABLE` when there is no connection, or it is lost
   * before the answer; `BAD_MESSAGE` when the data has no JSON form. With a signal: the signal's reason.
   */
  request<Type extends RouteType<C>, Action extends RouteAction<C, Type>>(
    type: Type,
    action: Action,
    ...rest: DataArguments<RouteData<C, Type, Action>, RequestOptions>
  ): Promise<RouteReply<C, Type, Action>>;
  request(type: string, action: string, data?: unknown, options?: RequestOptions): Promise<unknown> {
    return this.#outbound.ask({ type, action, data }, options);
  }

  /**
   * Sends a request for several answers. It is sent when the first answer is read; leaving a `for await` ends it at the server
   * too. Fails as {@link request} does, also with a lost connection; there is no timeout. A reader that falls more than 1,024
   * answers behind gets these, then RATE_LIMITED.
   *
   * @throws WebSocketClientError BAD_OPTION with `server: 'other'`, which has no streams
   */
  stream<Type extends RouteType<C>, Action extends StreamAction<C, Type>>(
    type: Type,
    action: Action,
    ...rest: DataArguments<RouteData<C, Type, Action>, Pick<RequestOptions, 'signal'>>
  ): AsyncIterableIterator<StreamValue<C, Type, Action>, undefined>;
  stream(
    type: string,
    action: string,
    data?: unknown,
    options?: RequestOptions,
  ): AsyncIterableIterator<unknown, undefined> {
    return this.#outbound.stream({ type, action, data }, options?.signal);
  }

  /**
   * Sends a message without an answer; a refusal goes to `events.onError`. Without a connection the message waits for one.
   *
   * @returns false when it was dropped, which calls `events.onDropped` too
   * @throws WebSocketClientError BAD_MESSAGE when the data has no JSON form
   */
  send<Type extends RouteType<C>, Action extends WsAnyAction<C, Type>>(
    type: Type,
    action: Action,
    ...rest: DataArgument<RouteData<C, Type, Action>>
  ): boolean;
  send(type: string, action: string, data?: unknown): boolean {
    return this.#outbound.send({ type, action, data });
  }

  /**
   * Sends any JSON value as it is; otherwise as {@link send}.
   *
   * @param binary true: sends the text in a binary frame. This package's server accepts it with its option `inbound.binary`, and
   * answers BAD_MESSAGE otherwise. Default: false
   */
  sendClientMessage(data: unknown, binary = false): boolean {
    return this.#outbound.sendValue(data, binary);
  }

  /** The same as {@link sendClientMessage}. */
  sendMessage(data: unknown): boolean {
    return this.sendClientMessage(data);
  }

  /**
   * Calls a handler with the data of every push of these names, on any connection. An event without a colon has the type
   * `event`.
   *
   * @returns a function that removes the handler
   */
  on<Type extends PushType<C>, Action extends PushAction<C, Type>>(
    type: Type,
    action: Action,
    handler: (data: PushData<C, Type, Action>, message: PushedMessage) => unknown,
  ): Unsubscribe;
  on(type: string, action: string, handler: (data: never, message: PushedMessage) => unknown): Unsubscribe {
    // The contract says what the data is; it is not checked here.
    return this.#pushHandlers.add(routeKey(type, action), handler as PushHandler);
  }

  /**
   * As {@link on}, for the next push of these names only.
   *
   * @returns a function that removes the handler
   */
  once<Type extends PushType<C>, Action extends PushAction<C, Type>>(
    type: Type,
    action: Action,
    handler: (data: PushData<C, Type, Action>, message: PushedMessage) => unknown,
  ): Unsubscribe;
  once(type: string, action: string, handler: (data: never, message: PushedMessage) => unknown): Unsubscribe {
    const given = handler as PushHandler;
    const stop = this.#pushHandlers.add(routeKey(type, action), given, (data, message) => {
      stop();
      return given(data, message);
    });
    return stop;
  }

  /**
   * Removes a handler that {@link on} or {@link once} has added, however often; without a handler all of these names, without
   * names all handlers of pushes. Handlers of a room, of questions and of the state are removed by what added them.
   */
  off<Type extends PushType<C>, Action extends PushAction<C, Type>>(
    type?: Type,
    action?: Action,
    handler?: (data: PushData<C, Type, Action>, message: PushedMessage) => unknown,
  ): void;
  off(type?: string, action?: string, handler?: unknown): void {
    this.#pushHandlers.remove(type === undefined ? undefined : routeKey(type, action ?? ''), handler);
  }

  /** Calls a handler with every push, after the handlers of {@link on}. */
  onAny(handler: (message: PushedMessage) => unknown): Unsubscribe {
    return this.#pushListeners.add(null, handler);
  }

  /** Calls a listener with every change of the state and its reason. */
  onState(listener: StateListener): Unsubscribe {
    return this.#reports.stateListeners.add(null, listener);
  }

  /**
   * Answers the server's requests of these names (`WsClient.call`) with what the handler returns. A `WebSocketClientError` that
   * it throws reaches the server with its code, anything else as `INTERNAL`.
   *
   * @returns a function that removes the handler
   * @throws WebSocketClientError CONFLICT when there is a handler already
   */
  handle<Type extends CallType<C>, Action extends CallAction<C, Type>>(
    type: Type,
    action: Action,
    handler: (data: CallData<C, Type, Action>) => CallReply<C, Type, Action> | Promise<CallReply<C, Type, Action>>,
  ): Unsubscribe;
  handle(type: string, action: string, handler: (data: never) => unknown): Unsubscribe {
    const key = routeKey(type, action);
    if (this.#callHandlers.of(key).length) throw new WebSocketClientError('CONFLICT', `There is a handler of ${key}.`);
    return this.#callHandlers.add(key, handler as CallHandler);
  }

  /**
   * Joins a room. Resolves when its messages arrive. From then on the client joins it again after each reconnect, and
   * `events.onRoomRefused` is called when that fails. Joins are counted: a room that was joined twice is left with the second
   * {@link leave}; a failed join does not count. A further join asks the server again, for example to change the label, unless
   * the same request is under way. In a room with history the client goes on from where it stood: see `events.onRecovered`. A server with `server: 'other'` does not answer: the promise resolves when the request was
   * sent.
   *
   * @throws WebSocketClientError as {@link request}; `FORBIDDEN`, `INVALID_ROOM` or `ROOM_LIMIT` when the server refuses
   */
  join(roomName: string, options: JoinOptions = {}): Promise<JoinedRoom> {
    return this.#rooms.join(roomName, options);
  }

  /**
   * Ends one {@link join}. With the last one the client leaves the room and does not join it again. Resolves when the server has
   * answered.
   */
  leave(roomName: string, options: LeaveOptions = {}): Promise<void> {
    return this.#rooms.leave(roomName, options);
  }

  /**
   * Joins a room for one user of it, for example a component of a page. The join counts until `leave()` of the returned handle
   * is called.
   *
   * @example
   * const tea = client.room('tea');
   * tea.on('chat', 'message', ({ text }) => show(text));
   * await tea.joined;
   */
  room(roomName: string, options: RoomOptions = {}): RoomHandle<C> {
    const hold = { ...options };
    const joined = this.#rooms.join(roomName, options, hold);
    const handlers = new Listeners<Parameters<PushHandler>>(this.#reports.failed);
    let stop: Unsubscribe | undefined;
    let left: Promise<void> | undefined;
    /** Messages of rooms with history, and whispers, name their room in any case. */
    let isUnnamed: boolean | undefined;
    let needsNames = false;
    const presence = (): RoomPresence => this.presence(roomName);
    joined.then(
      ({ position }) => {
        isUnnamed = !position && !this.#welcome?.rooms.named;
        if (needsNames && isUnnamed) this.#reports.failed(badOption(UNNAMED));
      },
      // The promise may be left unawaited.
      () => undefined,
    );
    return {
      joined,
      get members() {
        return presence();
      },
      leave: () => {
        stop?.();
        return (left ??= this.#rooms.leave(roomName, {}, hold));
      },
      on: (type: string, action: string, handler: (data: never, message: PushedMessage) => unknown) => {
        needsNames ||= type !== 'whisper';
        if (left) throw badOption('There is no room.');
        if (isUnnamed && type !== 'whisper') throw badOption(UNNAMED);
        stop ??= this.#pushListeners.add(roomName, (message) =>
          Promise.all(handlers.call(routeKey(message.type, message.action), message.data, message)),
        );
        return handlers.add(routeKey(type, action), handler as PushHandler);
      },
    };
  }

  /**
   * Who is in a room that has presence, while the client is there. From this call on the client asks the server for it, with each
   * join of the room, or at once where the server has put it in; it does not join by itself.
   *
   * @returns the same object each time
   *
   * @example
   * client.presence('tea').onChange(({ members }) => show(members));
   * await client.join('tea');
   */
  presence(roomName: string): RoomPresence {
    return this.#rooms.members(roomName);
  }

  /**
   * Sets what the other members see of the client in a room with presence, for example `{ away: true }`; null removes it. The
   * client tells it again whenever it joins the room anew by itself, and once it has a connection where there is none now.
   *
   * @throws WebSocketClientError BAD_MESSAGE for a state without a JSON form or of more than 256 bytes, `FORBIDDEN` when the client
   * is not in the room, `NOT_FOUND` when the room has no presence
   */
  setPresence(roomName: string, state: unknown, options?: RequestOptions): Promise<void> {
    return this.#rooms.setState(roomName, state, options);
  }

  /**
   * Says something to the other members of a room without a handler on the server, where it allows that. It is for what is of no
   * use later, for example that somebody is typing: `on('whisper', action, handler)` hears it with `message.room` and
   * `message.from`. A refusal goes to `events.onError`.
   *
   * @returns false when it was not sent, since there is no connection, or the server's rate is used up
   */
  whisper<Action extends WhisperAction<C>>(
    roomName: string,
    action: Action,
    ...rest: DataArgument<WhisperData<C, Action>>
  ): boolean;
  whisper(roomName: string, action: string, data?: unknown): boolean {
    return this.#outbound.whisper({ type: 'system', action: 'whisper', data: { roomName, action, data } });
  }

  /**
   * Reads messages that a room with history has kept. Only members can; the position of the client stays where it is.
   *
   * @throws WebSocketClientError as {@link request}; `FORBIDDEN` for others, `NOT_FOUND` for a room without history,
   * `RATE_LIMITED` after too many bytes
   */
  history(roomName: string, range?: HistoryRange, options?: RequestOptions): Promise<HistoryPage<C>>;
  history(roomName: string, range: HistoryRange = {}, options?: RequestOptions): Promise<unknown> {
    return this.#outbound.ask({ type: 'system', action: 'history', data: { ...range, roomName } }, options);
  }

  /**
   * Where the client stands in each room with history: behind the messages whose handlers have finished, their promises
   * included. Keep it together with what the handlers have made of the messages, and give it to the next client as its option
   * `positions`: nothing is lost, and nothing handled twice. Inside a handler its own message does not count yet.
   */
  get positions(): Record<string, RoomPosition> {
    return this.#rooms.positions;
  }

  /**
   * Gives the server another token of the same user before the present one expires. With `getToken` this happens by itself.
   * Without a connection, and with `server: 'other'`, the token is kept for the next connection; `disconnect()` drops it.
   *
   * @param token default: the result of `getToken`, which is called again during `tokenPatience` while it returns the token that
   * was refused or is about to expire
   * @throws WebSocketClientError UNAUTHENTICATED or FORBIDDEN when the server refuses it
   */
  async refresh(token?: string): Promise<void> {
    const next = token ?? (await this.#services.tokens.renew());
    if (next === null) throw badOption('There is no token.');
    const request = { type: 'system', action: 'refresh', data: { token: next } };
    if (this.isClientConnected() && !this.#services.options.codec.isOther) {
      await this.#outbound.ask(request, {}, { lane: 'now' }).catch((error: unknown) => {
        if (fieldsOf(error).code === 'UNAUTHENTICATED') this.#services.tokens.refuse(next);
        throw error;
      });
    }
    this.#services.tokens.put(next);
  }

  /** Whether messages can be sent. */
  isClientConnected(): boolean {
    return this.#supervisor.state === 'connected';
  }

  getConnectionStatus(): ConnectionStatus {
    const { attempts, isEnabled } = this.#policy;
    const isConnected = this.isClientConnected();
    return { isConnected, reconnectAttempts: isConnected ? 0 : attempts, autoReconnectEnabled: isEnabled };
  }

  /** Makes the client reconnect by itself from now on. */
  enableAutoReconnect(): void {
    this.#policy.isEnabled = true;
  }

  /** Makes the client not reconnect by itself any more; a client that waits for its next attempt stops. */
  disableAutoReconnect(): void {
    this.#policy.isEnabled = false;
    this.#supervisor.stopWaiting();
  }

  #connected(change: Arrival, welcome: Welcome): void {
    const { clientId } = welcome;
    const { runtime, options } = this.#services;
    const hasStood = this.#welcome;
    this.#welcome = welcome;
    this.#rooms.connected(welcome);
    const goOn = (): void => {
      if (this.#greeting !== greeting) return;
      this.#endGreeting();
      // The rooms are joined first, since messages of the queue may be meant for them, and requests are handled in order.
      this.#rooms.begin();
      this.#outbound.open();
      if (hasStood) this.#reports.tell('onReconnected', { clientId });
    };
    const greeting = (this.#greeting = runtime.timeout(options.connectTimeout, goOn));
    this.#reports.together(() => {
      // `onConnected` comes first. What others send in response to the state follows after the rooms.
      this.#reports.tell('onConnected', { clientId, joinRoom: (roomName) => this.join(roomName) }, goOn);
      this.#reports.changed(change);
    });
  }

  #endGreeting(): void {
    this.#greeting?.cancel();
    this.#greeting = null;
  }

  #ended(change: Loss, { error, isOwn }: Ending): void {
    const { previous, code, reason } = change;
    const welcome = this.#welcome;
    const isLast = change.state === 'disconnected';
    this.#endGreeting();
    if (isLast) this.#welcome = undefined;
    this.#reports.together(() => {
      this.#reports.changed(change);
      if (welcome && previous === 'connected')
        this.#reports.tell('onDisconnected', { clientId: welcome.clientId, code, reason });
      if (!isLast) this.#reports.tell('onReconnecting', change);
      else if (previous === 'reconnecting' && !isOwn) this.#reports.tell('onReconnectFailed', { error });
      this.#rooms.disconnected(isLast);
      this.#outbound.ended(error, isLast);
    });
  }

  #received(frame: ServerFrame): void {
    if ('id' in frame && this.#outbound.settle(frame)) return;
    if (frame.kind === 'call') this.#answer(frame).catch(this.#reports.failed);
    else if ('whole' in frame) {
      const done = this.#rooms.accept(frame);
      if (!done) return;
      this.#reports.tell('onMessage', { data: frame.whole });
      const handled = frame.kind === 'push' ? this.#pushed(frame) : [];
      if (frame.offset) void Promise.all(handled).then(done);
    } else if (frame.kind === 'error' && frame.id === undefined) this.#reports.tell('onError', { error: frame.error });
  }

  /** @returns promises that resolve when the handlers have finished */
  #pushed({ id, type, action, data, room, offset, from }: PushFrame): Promise<void>[] {
    const { tokens } = this.#services;
    if (type === 'room') this.#rooms.received(action, fieldsOf(data));
    if (id === 'system:ping') this.#outbound.send({ type, action: 'pong' }, 'now');
    if (id === 'auth:expiring' && tokens.areRenewable) {
      tokens.expire();
      // After a failure the connection lasts as long as its token; the next connection asks for another one.
      this.refresh().catch((error: unknown) => {
        tokens.forget();
        this.#reports.tell('onError', { error });
      });
    }
    const message = { type, action, data, room, offset, from };
    return [
      ...this.#pushHandlers.call(id, data, message),
      ...this.#pushListeners.call(room, message),
      ...this.#pushListeners.call(null, message),
    ];
  }

  async #answer({ type, action, data, callId }: CallFrame): Promise<void> {
    const { connection } = this.#supervisor;
    const say = (outcome: object): void => {
      const answer = { type: 'system', action: 'answer', data: { callId, ...outcome } };
      // A request of a connection that has ended needs no answer.
      if (connection?.isOpen) this.#outbound.send(answer, 'now');
    };
    try {
      const [handler] = this.#callHandlers.of(routeKey(type, action));
      if (!handler) throw new WebSocketClientError('UNKNOWN_ROUTE', 'There is no handler.');
      const response = (await handler(data)) ?? null;
      // In an object, JSON leaves out a value without a JSON form silently.
      if (!JSON.stringify(response)) throw new TypeError(NO_JSON);
      say({ response });
    } catch (error) {
      // Only a client error is sent to the server; other errors may contain secrets.
      const isTold = error instanceof WebSocketClientError;
      if (!isTold) this.#reports.failed(error);
      const { code, message } = isTold ? error : new WebSocketClientError('INTERNAL', 'The handler failed.');
      say({ error: { code, message } });
    }
  }
}
