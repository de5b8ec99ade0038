import type { IncomingHttpHeaders } from 'node:http';
import type { WebSocket } from 'ws';
import type { WsTokenInfo } from '../options/authenticator.js';
import type { ClientEntry, WsUser } from '../ws-client/client-entry.js';
import type { Step } from '../runtime/ordered-steps.js';
import type { SecureChannel } from '../encryption/secure-channel.js';
import { WsError } from '../errors/ws.error.js';
import type { Codec } from '../protocol/codec.interface.js';
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
import type { InboundMessage, ProtocolError, RequestId, WebSocketMessage } from '../protocol/messages.js';
import type { ResolvedOptions } from '../pxl-websocket.options.js';
import { brand } from '../runtime/brand.js';
import { CLOSING, OPEN } from '../runtime/socket-state.js';
import { ClientCalls, type WsCallOptions } from './session/client-calls.js';
import { clientJson, type ClientJson } from '../ws-client/client-json.js';
import type { ClientHost } from './session/session-endpoint.interface.js';
import type { ClientOutbox, SharedFrame } from './session/client-outbox.interface.js';
import { applicationClose } from './close-reason.js';
import { encodeMessage } from './encode-message.js';
import { InboundQueue } from './session/inbound-queue.js';
import { OWN_SENDS } from './session/own-sends.js';
import { ReadingPause } from './session/reading-pause.js';
import type { WsRequest } from '../ws-client/ws-request.js';

/** Where a connection is in its life. */
export type WsClientState = 'unauthorized' | 'authenticating' | 'authenticated' | 'disconnected';

const NO_ROOMS: ReadonlySet<string> = new Set<string>();

/**
 * One connection of this worker: what gateways get as `@ConnectedSocket()`. It stays readable after the connection has
 * closed (`handleDisconnect` still sees its user and rooms); sends then do nothing. A rejection of `join` or `call` that
 * nobody takes goes to the log and `events.onError`.
 *
 * @typeParam C the contract with the clients, as in `@ConnectedSocket() client: WsClient<Chat>`: what it says of pushes,
 * calls, users and metadata
 */
export class WsClient<C extends WebSocketContract = WebSocketContract> implements ClientEntry<C> {
  static {
    brand(this, 'WsClient');
  }

  /** @internal */
  readonly codec: Codec;
  state: WsClientState = 'authenticated';
  lastActivity: number;
  #user: WsUser<WsUserPayload<C>> | null = null;
  /** @internal What is known of the token behind `user`; null without one. */
  token: WsTokenInfo | null = null;
  /** @internal The user type that the application has said, for credentials that name none. */
  assignedType: string | undefined;
  roomName: string | null = null;
  #rooms: Set<string> | null = null;
  #metadata: WsMetadataOf<C> | null = null;
  #requests: Map<RequestId, Cancel | null> | null = null;
  #streams: Set<ClientStream> | null = null;
  #inbound: InboundQueue | null = null;
  #pause: ReadingPause | null = null;
  /** How many want the socket not to be read. */
  #holds = 0;
  #calls: ClientCalls | null = null;
  #channel: SecureChannel | null = null;
  #isSetUp = false;

  /** Clients are made by the endpoint that accepted the connection. */
  constructor(
    readonly clientId: string,
    private readonly outbox: ClientOutbox,
    /** The upgrade request: `url`, `headers`, `ip`. */
    readonly request: WsRequest,
    codec: Codec,
    private readonly host: ClientHost,
    readonly connectedAt: number,
  ) {
    this.codec = codec;
    this.lastActivity = connectedAt;
  }

  /**
   * The socket, for reading its state and events. Its `send` goes through the outbox as ready text, and throws once the
   * client is encrypted.
   */
  get ws(): WebSocket {
    return this.outbox.ws;
  }

  /**
   * Who the client is, from its verified credentials; null for an anonymous one. It cannot be assigned, as guards written
   * for HTTP do with `request.user`: sessions, rooms and revocation go by it.
   */
  get user(): WsUser<WsUserPayload<C>> | null {
    return this.#user;
  }

  /** @internal */
  setUser(user: WsUser<WsUserPayload<C>> | null): void {
    this.#user = user;
  }

  /**
   * The address that the client connected from: of the peer, or what trusted proxies say (`trustProxy`). It stands where
   * guards written for HTTP look for it, `ThrottlerGuard` for one.
   */
  get ip(): string {
    return this.request.ip;
  }

  /** The headers of the upgrade request. */
  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  /** The path of the endpoint that the client connected to. */
  get path(): string {
    return this.host.path;
  }

  /** @internal The options that hold on the client's endpoint. */
  get options(): ResolvedOptions {
    return this.host.options;
  }

  /** @internal */
  get welcomeTerms(): string {
    return this.host.welcomeTerms;
  }

  get workerId(): string {
    return this.host.workerId;
  }

  /** The socket's `readyState`: 1 while messages can be sent. */
  get readyState(): number {
    const { ws, isEnding } = this.outbox;
    return isEnding && ws.readyState === OPEN ? CLOSING : ws.readyState;
  }

  /** True while more bytes wait for this client than its budget allows. */
  get backpressured(): boolean {
    return this.outbox.isOverBudget;
  }

  /** @internal Rises with every byte that leaves for the client. */
  get sentBytes(): number {
    return this.outbox.sentBytes;
  }

  /** Whether the frames of this connection are encrypted by the protocol itself, beside TLS. */
  get encrypted(): boolean {
    return this.#channel !== null;
  }

  /** The rooms that the client is in. */
  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? NO_ROOMS;
  }

  /**
   * Data of the application's own; `ClientManager.updateClient` changes it from anywhere. What is put into it here, and
   * has no JSON form, stays on this worker.
   */
  get metadata(): WsMetadataOf<C> {
    return (this.#metadata ??= {});
  }

  /**
   * Sends a message to this client alone, behind everything that was sent before.
   *
   * @param message a message in either shape, any other JSON value, or a string, which goes out as it is (ready text)
   * @returns false when the client is gone
   * @throws WsError BAD_MESSAGE when the message has no JSON form; nothing is sent then
   */
  send<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(message: SentMessage<C, Type, Action, Event, unknown> | string): boolean;
  send(message: unknown): boolean {
    return this.#sendMessage(message);
  }

  /**
   * Sends an event to this client alone, as Socket.IO's sockets do: `send({ event, data })`.
   *
   * @returns false when the client is gone
   * @throws WsError BAD_MESSAGE when the event is no text, or the data has no JSON form; nothing is sent then
   */
  emit<Event extends SentEvent<C>>(
    event: IfGiven<C, 'pushes', Event, string>,
    ...rest: IfGiven<C, 'pushes', DataArgument<SentEventData<C, Event>>, [data?: unknown]>
  ): boolean;
  emit(event: unknown, data?: unknown): boolean {
    if (typeof event !== 'string') throw new WsError('BAD_MESSAGE', 'The event is not a text.');
    return this.#sendMessage({ event, data });
  }

  #sendMessage(message: unknown): boolean {
    const isSent = this.sendText(typeof message === 'string' ? message : encodeMessage(this.codec, message));
    OWN_SENDS.note(this);
    return isSent;
  }

  /** @internal Queues a frame that other clients may share. */
  sendFrame(frame: SharedFrame, isVolatile = false): boolean {
    return this.outbox.sendFrame(frame, isVolatile);
  }

  /**
   * Asks the client, and resolves with what it answers. A handler may call its own client: the answer does not wait for
   * its turn behind that handler.
   *
   * @param message a message in either shape
   * @throws WsError TIMEOUT when there is no answer in time; UNAVAILABLE when the client is, or goes, away; BAD_MESSAGE
   * when the message cannot be sent, and for options that there are not; RATE_LIMITED with 1,024 calls open; else the code
   * that the client refused with, its own words in `cause`. With a signal: the signal's reason.
   */
  call<
    Type extends CallType<C> = never,
    Action extends CallAction<C, Type> = never,
    Event extends CallEvent<C> = never,
  >(message: CallMessage<C, Type, Action, Event>, options?: WsCallOptions): Promise<CallAnswer<C, Type, Action, Event>>;
  call(message: WebSocketMessage, options: WsCallOptions = {}): Promise<unknown> {
    const work = (): Promise<unknown> => this.calls.call(message, options, this.host.callTimeout);
    return this.host.watch('WsClient.call', work, this.clientId);
  }

  /** Puts the client into a room: true once it receives what is sent there, false when it is gone. */
  join(roomName: string): Promise<boolean> {
    return this.host.watch('WsClient.join', () => this.host.join(this, roomName), this.clientId);
  }

  /** Takes the client out of a room; does nothing when it is not in it. */
  leave(roomName: string): void {
    this.host.leave(this, roomName);
  }

  /**
   * Closes the connection after everything sent before; calling it again does nothing.
   *
   * @param code 1000 or 3000–4999; default 4506, on which clients do not come back by themselves
   * @param reason for people, cut to the 123 bytes that a close frame holds
   * @throws WsError BAD_MESSAGE for any other code
   */
  close(code?: number, reason?: string): void {
    const close = applicationClose(code, reason);
    this.outbox.ws.close(close.code, close.reason);
  }

  /**
   * What `JSON.stringify` sees: who the client is, as every other worker sees it. Of the user's payload that is what
   * `cluster.shareUser` names.
   */
  toJSON(): ClientJson {
    return clientJson(this, this.options.cluster.shareUser);
  }

  /** @internal The set behind `rooms`, made when the first room is joined. */
  get roomSet(): Set<string> {
    return (this.#rooms ??= new Set());
  }

  /** @internal Sends ready text; false when the client is gone. */
  sendText(text: string): boolean {
    return this.outbox.sendText(text);
  }

  /** @internal Sends ready text in a binary frame; false when the client is gone. */
  sendBinary(text: string): boolean {
    return this.outbox.sendBinary(text);
  }

  /** @internal Has all that is sent pass a step from now on. */
  transform(limit: number, step: Step<string, string>): void {
    this.outbox.transform(limit, step);
  }

  /** @internal Has all that is sent encrypted from now on, and reads nothing else. */
  encrypt(channel: SecureChannel, limit: number, cipher: Step<string, string>, lastInClear?: string): void {
    this.outbox.encrypt(limit, cipher, lastInClear);
    this.#channel = channel;
  }

  /** @internal Takes what the client has sent. */
  receive(message: InboundMessage | ProtocolError): void {
    if (this.#channel) this.#channel.receive(message);
    else this.host.receive(this, message);
  }

  /** @internal Takes what stood in an encrypted frame. */
  receiveOpened(message: InboundMessage | ProtocolError): void {
    this.host.receive(this, message);
  }

  /** @internal Calls back once everything that has been received is read, which an asynchronous cipher takes its time for. */
  whenRead(callback: () => void): void {
    if (this.#channel) this.#channel.whenOpened(callback);
    else callback();
  }

  /** @internal Gives up what waits of its messages. */
  forgetMessages(): void {
    this.#channel?.forget();
    if (!this.isIdle) this.inbound.clear();
  }

  /** @internal What a client's frames go through; reading stops while it is full. */
  get inbound(): InboundQueue {
    return (this.#inbound ??= new InboundQueue(this.host.inboundLimits, this, this.#isSetUp));
  }

  /** @internal Whether any message of this client runs or waits. */
  get isIdle(): boolean {
    return this.#inbound?.isIdle ?? true;
  }

  /** @internal The hooks of the connection have run: its messages may. */
  finishSetUp(): void {
    this.#isSetUp = true;
    this.#inbound?.release();
  }

  /** @internal */
  run(message: InboundMessage): Promise<void> | undefined {
    return this.host.handle(this, message);
  }

  /** @internal */
  setReading(reading: boolean): void {
    this.#holds += reading ? -1 : 1;
    if (this.#holds > 0) {
      this.#pause ??= new ReadingPause(this.outbox.ws, this.host.runtime, () => this.#inbound?.started ?? 0);
    } else {
      this.#pause?.end();
      this.#pause = null;
    }
  }

  /** @internal The requests of the server that this client has to answer. */
  get calls(): ClientCalls {
    return (this.#calls ??= new ClientCalls(this, this.host.runtime));
  }

  /** @internal */
  get awaitsAnswer(): boolean {
    return this.#calls?.isOpen ?? false;
  }

  /** @internal */
  callsChanged(): void {
    this.#inbound?.adjust();
  }

  /** @internal The client is gone: its open calls fail. */
  endCalls(): void {
    this.#calls?.end();
  }

  /** @internal Keeps an id in use until `endRequest`; false when it is in use already. */
  beginRequest(id: RequestId): boolean {
    const requests = (this.#requests ??= new Map<RequestId, Cancel | null>());
    if (requests.has(id)) return false;
    requests.set(id, null);
    return true;
  }

  /** @internal What ends the request early, while it is a stream. */
  setCancel(id: RequestId, cancel: Cancel): void {
    this.#requests?.set(id, cancel);
  }

  /** @internal Ends a stream early; does nothing for any other request. */
  cancelRequest(id: RequestId): void {
    this.#requests?.get(id)?.();
  }

  /** @internal */
  endRequest(id: RequestId): void {
    this.#requests?.delete(id);
  }

  /** @internal The answers that still come as values over time. */
  get streams(): Set<ClientStream> {
    return (this.#streams ??= new Set());
  }
}

type Cancel = () => void;

/** @internal An answer that stays open after its message has left the queue. */
export interface ClientStream {
  cancel(): void;
  fail(exception: unknown): void;
}
