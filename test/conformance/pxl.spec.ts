import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import { WebSocket, type RawData } from 'ws';
import {
  ClientManager,
  PxlWebSocketServer,
  WebSocketService,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { claimsOf, hs256, SECRET, seconds, unsigned } from '../support/tokens.js';
import { until } from '../support/until.js';

/*
 * What a client of the PXL framework sees on the wire, each statement as the framework's documents make it. The client knows
 * `{ type, action, data }` and nothing else: it offers no subprotocol, its messages have no ids, and it passes over what it
 * has no name for.
 */

interface Message {
  type: string;
  action: string;
  data?: unknown;
  response?: unknown;
}

/** The clients of the documents: a plain WebSocket, which is left open or closed. */
class PxlClient {
  /** All that the server has said, in order. */
  readonly heard: Message[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  /** The kinds of frames in which it came. */
  readonly binary: boolean[] = [];
  readonly #socket: WebSocket;

  private constructor(url: string) {
    const socket = (this.#socket = new WebSocket(url));
    socket.on('error', () => undefined);
    socket.on('message', (data: RawData, isBinary: boolean) => {
      this.binary.push(isBinary);
      this.heard.push(JSON.parse((data as Buffer).toString()) as Message);
    });
    this.closed = new Promise((resolve) =>
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
  }

  /** Resolves once the socket is open, with the client; rejects with the status that refuses it. */
  static async connect(url: string): Promise<PxlClient> {
    const client = new PxlClient(url);
    const refused = once(client.#socket, 'unexpected-response') as Promise<[unknown, IncomingMessage]>;
    const answer = await Promise.race([
      once(client.#socket, 'open').then(() => null),
      refused.then(([, { statusCode }]) => statusCode),
    ]);
    if (answer !== null) throw new Error(`refused with ${answer}`);
    return client;
  }

  send(message: unknown): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Takes the next message of these names. */
  async next(type: string, action: string): Promise<Message> {
    const isIt = (message: Message): boolean => message.type === type && message.action === action;
    await until(() => this.heard.some(isIt));
    return this.heard.splice(this.heard.findIndex(isIt), 1)[0]!;
  }

  /** Resolves once the server has handled what was sent before, with all that came meanwhile. */
  async settled(): Promise<Message[]> {
    this.send({ type: 'test', action: 'echo' });
    await this.next('test', 'echo');
    return this.heard.splice(0);
  }

  close(): void {
    this.#socket.close();
  }

  cut(): void {
    this.#socket.terminate();
  }
}

@WebSocketGateway()
class ChatController {
  constructor(private readonly webSocketServer: PxlWebSocketServer) {}

  @WsRoute('chat', 'send')
  send(_client: WsClient, data: { text?: unknown } | undefined): unknown {
    if (!data?.text || typeof data.text !== 'string') {
      return { error: 'Invalid message format', code: 'INVALID_MESSAGE' };
    }
    this.webSocketServer.sendMessageToAll({ data: { type: 'chat', action: 'message', data: { text: data.text } } });
    return { success: true };
  }

  @WsRoute('chat', 'typing')
  typing({ clientId }: WsClient, data: unknown): unknown {
    this.webSocketServer.broadcastToAllClients({
      data: { type: 'chat', action: 'userTyping', data },
      excludeClientId: clientId,
    });
    return { success: true };
  }

  @WsRoute('chat', 'fail')
  fail(): never {
    throw new Error('of the handler');
  }

  @WsRoute('user', 'getProfile')
  async getProfile({ clientId }: WsClient, data: unknown): Promise<unknown> {
    const client = this.webSocketServer.clientManager.getClient({ clientId });
    return Promise.resolve({ success: true, userId: client?.user?.userId, role: client?.user?.payload.role, data });
  }

  @WsRoute('test', 'echo')
  echo(): boolean {
    return true;
  }
}

const OPTIONS: PxlWebSocketModuleOptions = {
  auth: { jwt: { secret: SECRET }, required: false },
  rooms: { open: true },
};

const clients: PxlClient[] = [];

async function connectTo({ url }: TestApp, token?: string): Promise<PxlClient> {
  const client = await PxlClient.connect(token === undefined ? url() : `${url()}?token=${token}`);
  clients.push(client);
  return client;
}

afterEach(() => clients.splice(0).forEach((client) => client.cut()));

describe('a client of the PXL framework', () => {
  let app: TestApp;
  let server: PxlWebSocketServer;
  let service: WebSocketService;
  let clientManager: ClientManager;

  beforeAll(async () => {
    app = await startApp({ options: OPTIONS, providers: [ChatController] });
    [server, service, clientManager] = [
      app.app.get(PxlWebSocketServer),
      app.app.get(WebSocketService),
      app.app.get(ClientManager),
    ];
  });

  afterAll(() => app.close());

  afterEach(async () => {
    clients.forEach((client) => client.cut());
    await until(() => clientManager.size === 0);
  });

  const connect = (token?: string): Promise<PxlClient> => connectTo(app, token);

  /** A client of its own, with what the server knows of it. */
  async function known(token?: string) {
    const before = new Set(clientManager.getClients().map(({ clientId }) => clientId));
    const client = await connect(token);
    await client.settled();
    const { clientId } = clientManager.getClients().find((one) => !before.has(one.clientId))!;
    return { client, clientId };
  }

  describe('connects', () => {
    it('and hears who it is, under names that it may pass over', async () => {
      const heard = (await connect().then((client) => client.settled())).map(({ type, action }) => `${type}.${action}`);
      const named = await (await connect(hs256(claimsOf('123')))).settled();
      expect(heard).toEqual(['system.connected']);
      expect(named.map(({ type, action }) => `${type}.${action}`)).toEqual(['system.connected', 'auth.authenticated']);
      expect(named[1]?.data).toEqual({ userId: '123', message: expect.any(String) });
    });

    it('without a token, and is nobody in particular; each one has an id of its own', async () => {
      const [one, two] = [await known(), await known()];
      expect(clientManager.getClient(one)).toMatchObject({ user: null });
      expect(one.clientId).not.toBe(two.clientId);
      one.client.send({ type: 'user', action: 'getProfile', data: { userId: 123 } });
      expect(await one.client.next('user', 'getProfile')).toEqual({
        type: 'user',
        action: 'getProfile',
        response: { success: true, data: { userId: 123 } },
      });
    });

    it('with ?token=, and is who its sub says, with the whole payload', async () => {
      const { client, clientId } = await known(hs256(claimsOf('123', { role: 'admin' })));
      client.send({ type: 'user', action: 'getProfile' });
      const { response } = await client.next('user', 'getProfile');
      expect(response).toEqual({ success: true, userId: '123', role: 'admin' });
      expect(clientManager.getClient({ clientId })?.user?.payload).toMatchObject({ sub: '123', role: 'admin' });
    });

    it.each<[string, string]>([
      ['signed by somebody else', hs256(claimsOf('123'), 'another secret')],
      ['signed by nobody', unsigned(claimsOf('123'))],
      ['that has expired', hs256({ sub: '123', exp: seconds(-3_600) })],
      ['without a sub', hs256({ exp: seconds(3_600) })],
      ['that is none', 'your-jwt-token'],
    ])('not with a token %s: 401', async (_what, token) => {
      await expect(connect(token)).rejects.toThrow('refused with 401');
    });
  });

  describe('sends { type, action, data }', () => {
    it('to the handler of that type and action, whose answer comes back under these names, to nobody else', async () => {
      const [alice, bob] = [await connect(), await connect()];
      await bob.settled();
      alice.send({ type: 'chat', action: 'send', data: { username: 'Alice', text: 'Hello everyone!' } });
      expect(await alice.next('chat', 'send')).toEqual({ type: 'chat', action: 'send', response: { success: true } });
      for (const client of [alice, bob]) {
        const message = { type: 'chat', action: 'message', data: { text: 'Hello everyone!' } };
        expect(await client.next('chat', 'message')).toEqual(message);
      }
      expect(await bob.settled()).toEqual([]);
    });

    it('and is told { error, code } as the handler returned it', async () => {
      const client = await connect();
      client.send({ type: 'chat', action: 'send', data: {} });
      client.send({ type: 'chat', action: 'send' });
      for (let answer = 0; answer < 2; answer++) {
        expect(await client.next('chat', 'send')).toEqual({
          type: 'chat',
          action: 'send',
          response: { error: 'Invalid message format', code: 'INVALID_MESSAGE' },
        });
      }
    });

    it('and hears of a handler that throws as of any error, without what it threw; the connection goes on', async () => {
      const client = await connect();
      client.send({ type: 'chat', action: 'fail' });
      const { data } = await client.next('error', 'message');
      expect(data).toMatchObject({ error: expect.any(String), code: 'INTERNAL' });
      expect(JSON.stringify(data)).not.toContain('of the handler');
      await client.settled();
    });

    it('in order, and is answered in that order', async () => {
      const client = await connect();
      for (let at = 0; at < 20; at++) client.send({ type: 'user', action: 'getProfile', data: at });
      for (let at = 0; at < 20; at++) {
        expect(await client.next('user', 'getProfile')).toMatchObject({ response: { data: at } });
      }
    });

    it('and is not cut off for a frame that is no message', async () => {
      const client = await connect();
      client.send('text');
      client.send({ data: 1 });
      for (let error = 0; error < 2; error++) {
        expect(await client.next('error', 'message')).toMatchObject({ data: { error: expect.any(String) } });
      }
      await client.settled();
    });
  });

  describe('joins rooms', () => {
    it('by system.joinRoom, is told so, and hears what is sent there', async () => {
      const { client, clientId } = await known();
      const outside = await connect();
      client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'general', username: 'alice' } });
      expect(await client.next('system', 'joinRoom')).toEqual({
        type: 'system',
        action: 'joinRoom',
        response: {
          success: true,
          message: expect.any(String),
          data: { username: 'alice', roomName: 'general', joinedAt: expect.any(String) },
        },
      });
      expect([...(server.rooms.get('general') ?? [])]).toEqual([clientId]);
      await service.sendToRooms(['general', 'announcements'], { type: 'announcement', action: 'new', data: 1 });
      server.broadcastToRoom({ roomName: 'General', data: { type: 'chat', action: 'elsewhere' } });
      expect(await client.settled()).toEqual([{ type: 'announcement', action: 'new', data: 1 }]);
      expect((await outside.settled()).map(({ type }) => type)).not.toContain('announcement');
    });

    it('several at a time, and leaves one by system.leaveRoom', async () => {
      const { client } = await known();
      for (const roomName of ['chat:general', 'game:lobby:1']) {
        client.send({ type: 'system', action: 'joinRoom', data: { roomName } });
        await client.next('system', 'joinRoom');
      }
      client.send({ type: 'system', action: 'leaveRoom', data: { roomName: 'chat:general' } });
      expect(await client.next('user', 'leftRoom')).toEqual({
        type: 'user',
        action: 'leftRoom',
        data: { roomName: 'chat:general' },
      });
      expect(await client.next('system', 'leaveRoom')).toMatchObject({ response: { success: true } });
      await service.sendToRooms(['chat:general'], { type: 'lost', action: 'one' });
      await service.sendToRooms(['game:lobby:1'], { type: 'game', action: 'moveMade' });
      expect(await client.settled()).toEqual([{ type: 'game', action: 'moveMade' }]);
    });

    it('and is in none of them any more when it has gone', async () => {
      const { client } = await known();
      client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'lobby' } });
      await client.next('system', 'joinRoom');
      client.close();
      expect((await client.closed).code).toBe(1005);
      await until(() => server.rooms.get('lobby') === undefined);
      expect(await (await connect()).settled()).not.toContainEqual(expect.objectContaining({ type: 'user' }));
    });
  });

  describe('hears', () => {
    it('what is sent to all, to all but one, to those that a predicate chooses, to users and to itself', async () => {
      const [premium, guest] = [await known(hs256(claimsOf('7', { subscription: 'premium' }))), await known()];
      server.sendMessageToAll({ data: { type: 'announcement', action: 'all' } });
      server.broadcastToAllClients({
        data: { type: 'announcement', action: 'others' },
        excludeClientId: guest.clientId,
      });
      server.broadcastToAllClients({
        data: { type: 'announcement', action: 'premium' },
        predicate: ({ userData }) => userData?.subscription === 'premium',
      });
      server.broadcastToUsers({ userIds: [7, 8], data: { type: 'notification', action: 'personalAlert' } });
      server.broadcastToClient({ clientId: guest.clientId, data: { type: 'private', action: 'message' } });
      const actions = async ({ client }: typeof guest): Promise<string[]> =>
        (await client.settled()).map(({ action }) => action);
      expect(await actions(premium)).toEqual(['all', 'others', 'premium', 'personalAlert']);
      expect(await actions(guest)).toEqual(['all', 'message']);
    });

    it('all but its own typing', async () => {
      const [alice, bob] = [await connect(), await connect()];
      await bob.settled();
      alice.send({ type: 'chat', action: 'typing', data: { username: 'Alice' } });
      expect(await bob.next('chat', 'userTyping')).toMatchObject({ data: { username: 'Alice' } });
      await alice.next('chat', 'typing');
      expect((await alice.settled()).map(({ action }) => action)).not.toContain('userTyping');
    });

    it('the messages of WebSocketService under the types that they are called after', async () => {
      const client = await connect();
      await client.settled();
      await service.broadcast({ type: 'notification', action: 'update', data: { message: 'New version available' } });
      await service.sendUserMessage('profileUpdated', { userId: 123 });
      await service.sendSystemMessage('maintenance', { minutes: 5 });
      await service.sendErrorMessage('authFailed', new Error('Invalid token'));
      expect(await client.settled()).toMatchObject([
        { type: 'notification', action: 'update', data: { message: 'New version available' } },
        { type: 'user', action: 'profileUpdated', data: { userId: 123 } },
        { type: 'system', action: 'maintenance', data: { minutes: 5 } },
        { type: 'error', action: 'authFailed' },
      ]);
    });

    it('an error by sendMessageError', async () => {
      const { client, clientId } = await known();
      server.sendMessageError({ webSocketClientId: clientId, error: 'Not allowed' });
      expect(await client.next('error', 'message')).toMatchObject({ data: { error: 'Not allowed' } });
    });

    it('a text as a text, and as a binary frame where the application says so', async () => {
      const { client, clientId } = await known();
      const { ws } = clientManager.getClient({ clientId, requireWs: true })!;
      client.binary.length = 0;
      server.sendClientMessage(ws, { type: 'private', action: 'message', data: { text: 'Hello!' } });
      server.sendClientMessage(ws, { type: 'private', action: 'message', data: { text: 'Hello!' } }, true);
      for (let message = 0; message < 2; message++) {
        expect((await client.next('private', 'message')).data).toEqual({ text: 'Hello!' });
      }
      expect(client.binary).toEqual([false, true]);
    });
  });

  it('answers the ping that the application sends, and nobody answers that', async () => {
    const client = await connect();
    await client.settled();
    server.sendMessageToAll({ data: { type: 'system', action: 'ping' } });
    expect(await client.next('system', 'ping')).toEqual({ type: 'system', action: 'ping' });
    client.send({ type: 'system', action: 'pong' });
    expect(await client.settled()).toEqual([]);
  });

  it('is disconnected by the server, with the code and the reason that it gives', async () => {
    const { client, clientId } = await known();
    clientManager.disconnectClient({ clientId, code: 4000, reason: 'Enough' });
    expect(await client.closed).toEqual({ code: 4000, reason: 'Enough' });
  });
});

describe('a client of the PXL framework', () => {
  let app: TestApp;
  let clock: ManualRuntime;

  async function start(options: PxlWebSocketModuleOptions): Promise<TestApp> {
    clock = new ManualRuntime();
    app = await startApp({
      options: { ...OPTIONS, heartbeat: false, ...options },
      providers: [ChatController],
      override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
    });
    return app;
  }

  afterEach(() => app.close());

  it('leaves its room by joining another one, with clientCanJoinMultipleRooms: false', async () => {
    const client = await connectTo(await start({ rooms: { open: true, clientCanJoinMultipleRooms: false } }));
    for (const roomName of ['first', 'second']) {
      client.send({ type: 'system', action: 'joinRoom', data: { roomName } });
      await client.next('system', 'joinRoom');
    }
    await client.settled();
    const { rooms } = app.app.get(PxlWebSocketServer);
    expect([rooms.get('first'), rooms.get('second')?.size]).toEqual([undefined, 1]);
    await app.app.get(WebSocketService).sendToRooms(['first'], { type: 'lost', action: 'one' });
    expect(await client.settled()).toEqual([]);
  });

  it('is disconnected after inactiveTime without a message, at the next look', async () => {
    const disconnectInactiveClients = { enabled: true, inactiveTime: 300_000, intervalCheckTime: 60_000, log: false };
    await start({ disconnectInactiveClients });
    const [silent, active] = [await connectTo(app), await connectTo(app)];
    for (let minute = 0; minute < 4; minute++) {
      await clock.advance(60_000);
      await active.settled();
    }
    await clock.advance(60_000);
    expect((await silent.closed).code).toBe(4510);
    await active.settled();
  });

  it('is closed when the server stops, which takes nobody any more', async () => {
    const client = await connectTo(await start({}));
    await app.app.get(PxlWebSocketServer).stop();
    expect((await client.closed).code).toBe(1001);
    await expect(connectTo(app)).rejects.toThrow('refused with 503');
  });
});
