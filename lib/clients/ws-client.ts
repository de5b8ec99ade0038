import type { WebSocket } from 'ws';
import { WsError } from '../errors/ws.error.js';
import type { ClientEntry, ClientMetadata, WsUser } from '../interfaces/client-entry.interface.js';
import { CLOSE_CODES, isApplicationCloseCode } from '../protocol/close-codes.js';
import type { Codec } from '../protocol/codec.interface.js';
import type { InboundMessage, RequestId } from '../protocol/messages.js';
import type { ClientHost } from './client-host.interface.js';
import type { ClientSocket, SharedFrame } from './client-socket.interface.js';
import { cutReason } from './close-reason.js';
import { encodeMessage } from './encode-message.js';
import { InboundQueue, type InboundOwner } from './inbound-queue.js';
import type { WsRequest } from './ws-request.js';

/** Where a connection is in its life. */
export type WsClientState = 'unauthorized' | 'authenticating' | 'authenticated' | 'disconnected';

const OPEN = 1;
const NO_ROOMS: ReadonlySet<string> = new Set<string>();

/**
 * One connection of this worker: what gateways get as `@ConnectedSocket()`. It stays readable after the connection has
 * closed (`handleDisconnect` still sees its user and rooms); sends then do nothing.
 */
export class WsClient implements ClientEntry, InboundOwner {
  state: WsClientState = 'authenticated';
  lastActivity: number;
  user: WsUser | null = null;
  roomName: string | null = null;
  /** True while more bytes wait for this client than its budget allows. */
  backpressured = false;
  #rooms: Set<string> | null = null;
  #metadata: ClientMetadata | null = null;
  #requests: Map<RequestId, ActiveRequest> | null = null;
  #streams: Set<ClientStream> | null = null;
  #inbound: InboundQueue | null = null;
  #isSetUp = false;

  /** @internal Clients are made by the endpoint that accepted the connection. */
  constructor(
    readonly clientId: string,
    private readonly socket: ClientSocket,
    /** The upgrade request: `url`, `headers`, `ip`. */
    readonly request: WsRequest,
    /** @internal */
    readonly codec: Codec,
    private readonly host: ClientHost,
    readonly connectedAt: number,
  ) {
    this.lastActivity = connectedAt;
  }

  /** The socket, for reading its state and events. Its `send` goes through the outbox as ready text. */
  get ws(): WebSocket {
    return this.socket;
  }

  /** The path of the endpoint that the client connected to. */
  get path(): string {
    return this.host.path;
  }

  get workerId(): string {
    return this.host.workerId;
  }

  /** The socket's `readyState`: 1 while messages can be sent. */
  get readyState(): number {
    return this.socket.readyState;
  }

  /** The rooms that the client is in. */
  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? NO_ROOMS;
  }

  /** Data of the application's own; `ClientManager.updateClient` changes it from anywhere. */
  get metadata(): ClientMetadata {
    return (this.#metadata ??= {});
  }

  /**
   * Sends a message to this client alone, behind everything that was sent before.
   *
   * @param message a message in either shape, any other JSON value, or a string, which goes out as it is (ready text)
   * @returns false when the client is gone
   * @throws WsError BAD_MESSAGE when the message has no JSON form; nothing is sent then
   */
  send(message: unknown): boolean {
    return this.sendText(typeof message === 'string' ? message : encodeMessage(this.codec, message));
  }

  /** @internal Queues a frame that other clients may share. */
  sendFrame(frame: SharedFrame): boolean {
    return this.socket.sendFrame(frame);
  }

  /** Puts the client into a room: true once it receives what is sent there, false when it is gone. */
  join(roomName: string): Promise<boolean> {
    return this.host.join(this, roomName);
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
  close(code: number = CLOSE_CODES.DISCONNECTED.code, reason?: string): void {
    if (!isApplicationCloseCode(code)) {
      throw new WsError('BAD_MESSAGE', `A connection closes with code 1000 or 3000–4999, not ${code}.`);
    }
    const constant = code === CLOSE_CODES.DISCONNECTED.code ? CLOSE_CODES.DISCONNECTED.reason : '';
    this.socket.close(code, cutReason(reason ?? constant));
  }

  /** @internal The set behind `rooms`, made when the first room is joined. */
  get roomSet(): Set<string> {
    return (this.#rooms ??= new Set());
  }

  /** @internal Sends ready text; false when the client is gone. */
  sendText(text: string): boolean {
    if (this.socket.readyState !== OPEN) return false;
    this.socket.send(text);
    return true;
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
    if (reading) this.socket.resume();
    else this.socket.pause();
  }

  /** @internal The requests whose answer is outstanding, by id. */
  get requests(): ReadonlyMap<RequestId, ActiveRequest> | null {
    return this.#requests;
  }

  /** @internal Keeps an id in use until `endRequest`; false when it is in use already. */
  beginRequest(id: RequestId): boolean {
    const requests = (this.#requests ??= new Map<RequestId, ActiveRequest>());
    if (requests.has(id)) return false;
    requests.set(id, { cancel: null });
    return true;
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

/** @internal A request under way; `cancel` is there while it is a stream. */
export interface ActiveRequest {
  cancel: (() => void) | null;
}

/** @internal An answer that can be ended early. */
export interface ClientStream {
  cancel(): void;
}
