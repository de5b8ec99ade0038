import type { WebSocket } from 'ws';
import { WsError } from '../../errors/ws.error.js';
import type { Codec } from '../../protocol/codec.interface.js';
import type { InboundMessage, ProtocolError, RequestId, ReturnNotice, Welcome } from '../../protocol/messages.js';
import { CLOSING, OPEN } from '../../runtime/socket-state.js';
import type { WsTokenInfo } from '../../options/authenticator.js';
import type { Awaitable } from '../../runtime/thenable.js';
import type { Step } from '../../runtime/ordered-steps.js';
import type { ResolvedOptions } from '../../pxl-websocket.options.js';
import type { TracePoint } from '../../tracing/trace-context.js';
import type { ClientEntry, ClientMetadata, WsUser } from '../../ws-client/client-entry.js';
import { clientJson, type ClientJson } from '../../ws-client/client-json.js';
import {
  clientOf,
  type WsCallOptions,
  type ShownSession,
  type WsClient,
  type WsClientState,
} from '../../ws-client/ws-client.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import type { WsRequest } from '../../ws-client/ws-request.js';
import { applicationClose } from '../close-reason.js';
import { encodeMessage } from '../encode-message.js';
import { readNamespace } from '../verb-checks.js';
import { ClientCalls } from './client-calls.js';
import type { ClientOutbox, OutboundCipher, SharedFrame } from './client-outbox.interface.js';
import type { FrameTerms } from './frame-terms.js';
import { InboundQueue } from './inbound-queue.js';
import { OWN_SENDS } from './own-sends.js';
import { inSpanOfCall } from './session-spans.js';
import { ReadingPause } from './reading-pause.js';
import { logSubject } from './session-context.js';
import type { SessionEndpoint } from './session-endpoint.interface.js';

const NO_ROOMS: ReadonlySet<string> = new Set<string>();
/** What a binary frame means where `inbound.binary` is off. */
const NO_BINARY: ProtocolError = { problem: 'Binary frames are not accepted.', id: undefined };

/** Reads the frames of an encrypted client, and nothing else. */
export interface SessionChannel {
  receive(message: InboundMessage | ProtocolError): void;
  /** Calls back once all frames are opened that have been received. */
  whenOpened(callback: () => void): void;
  /** Drops the frames that are not opened yet. */
  forget(): void;
}

/** An answer that stays open after its message has left the queue. */
export interface OpenAnswer {
  cancel(): void;
  fail(exception: unknown): void;
}

type Cancel = () => void;

/**
 * One connection from its acceptance to its end: what it says, asks and answers. The library works with sessions; the
 * application gets {@link client}.
 *
 * An idle connection costs this object alone: everything else is made when it is first needed.
 */
export class ClientSession implements ClientEntry, ShownSession {
  state: WsClientState = 'authenticated';
  lastActivity: number;
  user: WsUser | null = null;
  /** What is known of the token behind `user`; null without one. */
  token: WsTokenInfo | null = null;
  /** The user type that the application has assigned, for credentials that name none. */
  assignedType: string | undefined;
  roomName: string | null = null;
  /** What its welcome says of its return; null where no room has presence. */
  returnNotice: ReturnNotice | null = null;
  /** The span of its upgrade; null: there is none. */
  upgradedIn: TracePoint | null = null;
  #client: WsClient | null = null;
  #rooms: Set<string> | null = null;
  #metadata: ClientMetadata | null = null;
  #requests: Map<RequestId, Cancel | null> | null = null;
  #answers: Set<OpenAnswer> | null = null;
  #inbound: InboundQueue<ClientSession> | null = null;
  #pause: ReadingPause | null = null;
  #calls: ClientCalls | null = null;
  #channel: SessionChannel | null = null;
  #isSetUp = false;

  constructor(
    readonly clientId: string,
    private outbox: ClientOutbox,
    readonly request: WsRequest,
    readonly codec: Codec,
    readonly endpoint: SessionEndpoint,
    readonly connectedAt: number,
  ) {
    this.lastActivity = connectedAt;
  }

  /** What the application sees of this session. */
  get client(): WsClient {
    return (this.#client ??= clientOf(this));
  }

  get ws(): WebSocket {
    return this.outbox.ws;
  }

  get path(): string {
    return this.endpoint.path;
  }

  /** The options that hold on the client's endpoint. */
  get options(): ResolvedOptions {
    return this.endpoint.options;
  }

  get workerId(): string {
    return this.endpoint.workerId;
  }

  get readyState(): number {
    const { ws, isEnding } = this.outbox;
    return isEnding && ws.readyState === OPEN ? CLOSING : ws.readyState;
  }

  get backpressured(): boolean {
    return this.outbox.isOverBudget;
  }

  /** Bytes that wait for the client. */
  get bufferedAmount(): number {
    return this.outbox.bufferedAmount;
  }

  /** Calls back later, once almost nothing waits any more; maybe never when the connection ends before. */
  whenDrained(callback: () => void): void {
    this.outbox.whenDrained(callback);
  }

  /** Rises with every byte that leaves for the client. */
  get sentBytes(): number {
    return this.outbox.sentBytes;
  }

  get encrypted(): boolean {
    return this.#channel !== null;
  }

  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? NO_ROOMS;
  }

  /** The set behind `rooms`, made when the first room is joined. */
  get roomSet(): Set<string> {
    return (this.#rooms ??= new Set());
  }

  get metadata(): ClientMetadata {
    return (this.#metadata ??= {});
  }

  toJSON(): ClientJson {
    return clientJson(this, this.options.cluster.shareUser);
  }

  /** What the welcome tells the client. */
  get welcome(): Welcome {
    const { clientId, user, endpoint, returnNotice } = this;
    const time = endpoint.runtime.now();
    return { clientId, terms: endpoint.welcomeTerms, userId: user?.userId, time, ...returnNotice };
  }

  /** {@link WsClient.send} */
  send(message: unknown): boolean {
    const text = typeof message === 'string' ? message : encodeMessage(this.codec, message);
    this.checkSize(text);
    const isSent = this.sendText(text);
    OWN_SENDS.note(this);
    return isSent;
  }

  /** {@link WsClient.emit} */
  emit(event: unknown, data: unknown): boolean {
    if (typeof event !== 'string') throw new WsError('BAD_MESSAGE', 'The event is not a text.');
    return this.send({ event, data });
  }

  /** @throws WsError TOO_LARGE for a text over `limits.maxPushBytes` */
  checkSize(text: string): void {
    const { pushLimit } = this.endpoint;
    if (pushLimit.bytes !== false) pushLimit.check(text);
  }

  /** Sends ready text; false when the client is gone. */
  sendText(text: string): boolean {
    return this.outbox.sendText(text);
  }

  /** Sends ready text in a binary frame; false when the client is gone. */
  sendBinary(text: string): boolean {
    return this.outbox.sendBinary(text);
  }

  /** Queues a frame that other clients may share. */
  sendFrame(frame: SharedFrame, terms?: FrameTerms): boolean {
    return this.outbox.sendFrame(frame, terms);
  }

  /** Puts another outbox in the place of its own: one that stands before it, or the former one again. */
  replaceOutbox(by: (outbox: ClientOutbox) => ClientOutbox): void {
    this.outbox = by(this.outbox);
  }

  /** Passes every text through a step before it is sent, from now on. */
  transform(limit: number, step: Step<string, string>): void {
    this.outbox.transform(limit, step);
  }

  /** Encrypts everything that is sent from now on, and reads encrypted frames only. */
  encrypt(channel: SessionChannel, limit: number, cipher: OutboundCipher, lastInClear?: string): void {
    this.outbox.encrypt(limit, cipher, lastInClear);
    this.#channel = channel;
  }

  /** {@link WsClient.call} */
  call(message: unknown, options: WsCallOptions = {}): Promise<unknown> {
    const ask = (): Promise<unknown> => this.calls.call(message, options, this.options.timeouts.call);
    const { tracing } = this.endpoint.dispatcher;
    const work = tracing.isOn ? (): Promise<unknown> => inSpanOfCall(this, message, tracing, ask) : ask;
    return this.endpoint.errors.watch('WsClient.call', work, logSubject(this));
  }

  /** {@link WsClient.join} */
  join(roomName: string, options?: WsNamespaced): Promise<boolean> {
    const { errors, memberships } = this.endpoint;
    const join = (): Awaitable<boolean> => memberships.begin(this, this.#keyOf(roomName, options));
    return errors.watch('WsClient.join', join, logSubject(this));
  }

  /** {@link WsClient.leave} */
  leave(roomName: string, options?: WsNamespaced): void {
    this.endpoint.memberships.remove(this, this.#keyOf(roomName, options), 'removed');
  }

  #keyOf(roomName: string, options: WsNamespaced | undefined): string {
    return options === undefined ? roomName : this.endpoint.memberships.keyOf(roomName, readNamespace(options));
  }

  /** {@link WsClient.close} */
  close(code?: number, reason?: string): void {
    const close = applicationClose(code, reason);
    this.ws.close(close.code, close.reason);
  }

  /** Takes a frame of the client: the endpoint's intake gets its message, of an encrypted client once it is opened. */
  receive(data: Buffer, isBinary: boolean): void {
    const message = isBinary && !this.options.inbound.binary ? NO_BINARY : this.codec.decode(data.toString());
    if (this.#channel) this.#channel.receive(message);
    else this.endpoint.intake.take(this, message);
  }

  /** Calls back once everything that was received is read: an asynchronous cipher takes its time. */
  whenRead(callback: () => void): void {
    if (this.#channel) this.#channel.whenOpened(callback);
    else callback();
  }

  /** The queue of the client's messages; the socket is not read while it is full. */
  get inbound(): InboundQueue<ClientSession> {
    return (this.#inbound ??= new InboundQueue(this.options.inbound, this, this.endpoint.dispatcher, this.#isSetUp));
  }

  /** How many of the client's messages wait for their turn. */
  get waitingMessages(): number {
    return this.#inbound?.waiting ?? 0;
  }

  /** Whether no message of this client runs or waits. */
  get isIdle(): boolean {
    return this.#inbound?.isIdle ?? true;
  }

  /** The hooks of the connection have run: its messages may run now. */
  finishSetUp(): void {
    this.#isSetUp = true;
    this.#inbound?.release();
  }

  /** Drops the client's messages that wait; those that run go on. */
  forgetMessages(): void {
    this.#channel?.forget();
    if (!this.isIdle) this.inbound.clear();
  }

  /** Stops reading the socket until every `holdReading` is undone by one `releaseReading`. */
  holdReading(): void {
    if (this.#pause) this.#pause.hold();
    else this.#pause = new ReadingPause(this.ws, this.endpoint.runtime, () => this.#inbound?.started ?? 0);
  }

  releaseReading(): void {
    if (this.#pause?.release()) this.#pause = null;
  }

  /** The requests of the server that this client has to answer. */
  get calls(): ClientCalls {
    return (this.#calls ??= new ClientCalls(this, this.endpoint.runtime));
  }

  /** Whether a call waits for the client's answer. */
  get awaitsAnswer(): boolean {
    return this.#calls?.isOpen ?? false;
  }

  /** The first call was opened, or the last one has ended: a full queue may grow meanwhile. */
  callsChanged(): void {
    this.#inbound?.adjust();
  }

  /** Keeps a request's id in use until `endRequest`; false when it is in use already. */
  beginRequest(id: RequestId): boolean {
    const requests = (this.#requests ??= new Map<RequestId, Cancel | null>());
    if (requests.has(id)) return false;
    requests.set(id, null);
    return true;
  }

  /** @param cancel ends the request early: its answer is a stream */
  setCancel(id: RequestId, cancel: Cancel): void {
    this.#requests?.set(id, cancel);
  }

  /** Ends a stream early; does nothing for any other request. */
  cancelRequest(id: RequestId): void {
    this.#requests?.get(id)?.();
  }

  endRequest(id: RequestId): void {
    this.#requests?.delete(id);
  }

  /** The answers that are still open: streams, and ack functions that were not called yet. */
  get openAnswers(): Set<OpenAnswer> {
    return (this.#answers ??= new Set());
  }

  /**
   * The connection has ended: drops what waits, ends streams and open calls.
   *
   * @throws what a stream of the application throws at its end
   */
  end(): void {
    if (!this.isIdle) this.inbound.clear();
    for (const answer of [...(this.#answers ?? [])]) answer.cancel();
    this.#calls?.end();
  }
}

/** What the application sees of sessions. */
export function clientsOf(sessions: Iterable<ClientSession>): WsClient[] {
  return Array.from(sessions, ({ client }) => client);
}
