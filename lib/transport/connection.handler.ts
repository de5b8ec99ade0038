import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import type { RawData } from 'ws';
import type { WsIdentity } from '../auth/authenticator.interface.js';
import { ClientManager } from '../clients/client-manager.js';
import { WsClient } from '../clients/ws-client.js';
import { WsRequest } from '../clients/ws-request.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import type { Codec } from '../protocol/codec.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { RoomManager } from '../rooms/room-manager.js';
import { MessageDispatcher } from '../routing/message.dispatcher.js';
import { Runtime } from '../runtime/runtime.js';
import type { Endpoint } from './endpoint.js';
import { Heartbeat } from './heartbeat.js';
import { OutboxScheduler } from './outbox.scheduler.js';
import type { OutboxSocket } from './outbox.socket.js';

/** A socket that was upgraded, and what is known of it. */
export interface AcceptedConnection {
  readonly endpoint: Endpoint;
  readonly socket: OutboxSocket;
  readonly stream: Duplex;
  readonly request: IncomingMessage;
  readonly clientId: string;
  readonly codec: Codec;
  readonly identity: WsIdentity;
}

/** The life of a connection after its 101: welcome, hooks, messages, the end. */
@Injectable()
export class ConnectionHandler {
  readonly #scheduler = new OutboxScheduler();
  readonly #open = new Set<WsClient>();
  #onEmpty: (() => void)[] = [];

  constructor(
    private readonly clientManager: ClientManager,
    private readonly rooms: RoomManager,
    private readonly dispatcher: MessageDispatcher,
    private readonly heartbeat: Heartbeat,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Takes a socket on. The welcome is written before this returns; the hooks run after it. */
  accept(connection: AcceptedConnection): void {
    const { endpoint, socket, stream, request, clientId, codec, identity } = connection;
    const client = new WsClient(clientId, socket, new WsRequest(request), codec, endpoint, this.runtime.now());
    identify(client, identity);
    socket.client = client;
    socket.openOutbox(this.#scheduler, stream);
    this.clientManager.register(client);
    this.#open.add(client);

    socket.on('message', (data, isBinary) => this.#received(client, endpoint, data, isBinary));
    socket.on('pong', () => this.heartbeat.heard(client));
    socket.on('error', onSocketError);
    const { heartbeat } = this.options;
    const welcome = { clientId, heartbeat, userId: client.user?.userId };
    for (const text of codec.encodeWelcome(welcome)) socket.send(text);
    socket.flush();

    // The hooks get an async scope of their own: what they set with `enterWith` must not stay with the socket.
    const scope = new AsyncResource('WsConnection', { requireManualDestroy: true });
    const setUp = scope.runInAsyncScope(() => this.#setUp(client, endpoint, request));
    socket.on('close', (code, reason) => {
      const end = socket.closedWith ?? { code, reason: reason.toString() };
      void scope.runInAsyncScope(() => this.#ended(client, endpoint, setUp, end.code, end.reason));
    });
  }

  /** Resolves once every connection has ended, its hooks and handlers included. */
  whenEmpty(): Promise<void> {
    return this.#open.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Default rooms and hooks, in order, within the time for hooks. The connection is closed when one of them fails. */
  async #setUp(client: WsClient, endpoint: Endpoint, request: IncomingMessage): Promise<void> {
    const { events, rooms } = this.options;
    if (endpoint.hooks.length === 0 && !events.onConnected && rooms.defaults.length === 0) {
      client.finishSetUp();
      return;
    }
    try {
      const hooks = this.#runConnectHooks(client, endpoint, request);
      const late = (): Error => new Error(`They took longer than timeouts.hook (${this.options.timeouts.hook} ms).`);
      await this.runtime.within(this.options.timeouts.hook, hooks, late);
      client.finishSetUp();
    } catch (error) {
      this.errors.report('The connection hooks failed.', error, client.clientId);
      client.ws.close(CLOSE_CODES.HOOK_FAILED.code, CLOSE_CODES.HOOK_FAILED.reason);
    }
  }

  async #runConnectHooks(client: WsClient, endpoint: Endpoint, request: IncomingMessage): Promise<void> {
    for (const roomName of this.options.rooms.defaults) await this.rooms.join(client, roomName);
    const { clientId, ws } = client;
    const joinRoom = ({ roomName, username }: { roomName: string; username?: string }): Promise<boolean> =>
      this.rooms.join(client, roomName, username === undefined ? undefined : { username });
    await this.options.events.onConnected?.({ ws, client, clientId, joinRoom });
    for (const hooks of endpoint.hooks) await hooks.handleConnection(client, request);
  }

  /** @param data a Buffer: ws gives another type only to who asks for it */
  #received(client: WsClient, endpoint: Endpoint, data: RawData, isBinary: boolean): void {
    if (isBinary && !this.options.inbound.binary) {
      this.dispatcher.refuse(client, { problem: 'Binary frames are not accepted.', id: undefined });
      return;
    }
    this.heartbeat.heard(client);
    endpoint.receive(client, (data as Buffer).toString());
  }

  async #ended(
    client: WsClient,
    endpoint: Endpoint,
    setUp: Promise<void>,
    code: number,
    reason: string,
  ): Promise<void> {
    client.state = 'disconnected';
    this.rooms.drop(client);
    this.clientManager.unregister(client);
    this.dispatcher.release(client);
    if (!client.isIdle) client.inbound.clear();
    await setUp;
    await this.#runDisconnectHooks(client, endpoint, code, reason);
    if (!client.isIdle) await client.inbound.whenIdle();
    this.#open.delete(client);
    if (this.#open.size === 0) for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  async #runDisconnectHooks(client: WsClient, endpoint: Endpoint, code: number, reason: string): Promise<void> {
    const { clientId } = client;
    const late = (): Error => new Error(`It took longer than timeouts.hook (${this.options.timeouts.hook} ms).`);
    const run = async (name: string, hook: () => unknown): Promise<void> => {
      try {
        await this.runtime.within(this.options.timeouts.hook, Promise.resolve(hook()), late);
      } catch (error) {
        this.errors.report(`${name} failed.`, error, clientId);
      }
    };
    await run('events.onDisconnected', () => this.options.events.onDisconnected?.({ client, clientId, code, reason }));
    for (const hooks of endpoint.hooks) {
      await run(`${hooks.name}.handleDisconnect`, () => hooks.handleDisconnect(client, code, reason));
    }
  }
}

function identify(client: WsClient, { userId, userType, payload = {}, metadata }: WsIdentity): void {
  if (userId !== undefined) client.user = { userId: String(userId), userType, payload };
  if (metadata) Object.assign(client.metadata, metadata);
}

/** What a peer does wrong (bad frames, resets) ends its connection with a code; 'close' follows and tells it. */
function onSocketError(): void {}
