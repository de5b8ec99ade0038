import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, Logger } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { WebSocket } from 'ws';
import {
  ClientManager,
  PxlWebSocketServer,
  RoomManager,
  WebSocketService,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WebSocketMessage,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient, type Received } from '../support/test-client.js';
import { claimsOf, hs256, SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';

/*
 * The examples of the PXL framework's documents, section by section. What belongs to the framework itself is Nest's here: a
 * controller is a gateway class with `@WsRoute` methods that take `(client, data)`, and what it had injected by name comes
 * through its constructor. Everything else stands as its documents have it.
 */

/** "Creating a WebSocket Controller", "Accessing User Data in Controllers", "Logging". */
@WebSocketGateway()
class ChatController {
  readonly #logger = new Logger('Chat');

  constructor(private readonly webSocketServer: PxlWebSocketServer) {}

  @WsRoute('chat', 'send')
  send(client: WsClient, data: { text?: string; username?: string } | undefined): unknown {
    const message = data?.text ?? '';
    const username = data?.username ?? 'Anonymous';
    this.webSocketServer.sendMessageToAll({
      data: { type: 'chat', action: 'message', data: { username, message, timestamp: new Date().toISOString() } },
    });
    this.#logger.debug({ clientId: client.clientId, userId: client.user?.userId, messageLength: message.length });
    return { success: true, messageId: Date.now() };
  }

  @WsRoute('chat', 'typing')
  typing({ clientId }: WsClient, data: { username?: string }): unknown {
    const username = data.username ?? 'Anonymous';
    this.webSocketServer.broadcastToAllClients({
      data: { type: 'chat', action: 'userTyping', data: { username } },
      excludeClientId: clientId,
    });
    return { success: true };
  }

  @WsRoute('chat', 'sendAsUser')
  sendAsUser({ clientId }: WsClient, data: { text: string }): unknown {
    const client = this.webSocketServer.clientManager.getClient({ clientId });
    const userId = client?.user?.userId;
    const userEmail = client?.user?.payload.email;
    if (!userId) return { error: 'Authentication required' };
    this.webSocketServer.sendMessageToAll({
      data: { type: 'chat', action: 'message', data: { userId, userEmail, message: data.text } },
    });
    return { success: true };
  }
}

/** "Custom Controller". */
@WebSocketGateway()
class GameController {
  constructor(private readonly webSocketServer: PxlWebSocketServer) {}

  @WsRoute('game', 'move')
  async move({ clientId }: WsClient, data: { field: number }): Promise<unknown> {
    if (!(await this.validateMove(data))) return { error: 'Invalid move' };
    const client = this.webSocketServer.clientManager.getClient({ clientId });
    const roomName = client?.roomName;
    if (roomName) {
      const roomClients = this.webSocketServer.rooms.get(roomName);
      roomClients?.forEach((id) => {
        const c = this.webSocketServer.clientManager.getClient({ clientId: id });
        if (c?.ws) {
          this.webSocketServer.sendClientMessage(c.ws, {
            type: 'game',
            action: 'moveMade',
            data: { playerId: clientId, move: data },
          });
        }
      });
    }
    return { success: true };
  }

  private validateMove({ field }: { field: number }): Promise<boolean> {
    return Promise.resolve(field >= 0);
  }
}

/** "Authentication" of the best practices. */
@WebSocketGateway()
class AdminController {
  constructor(private readonly webSocketServer: PxlWebSocketServer) {}

  @WsRoute('admin', 'broadcast')
  broadcast({ clientId }: WsClient, data: unknown): unknown {
    const client = this.webSocketServer.clientManager.getClient({ clientId });
    const userRole = client?.user?.payload.role;
    if (userRole !== 'admin') return { error: 'Unauthorized', code: 'FORBIDDEN' };
    this.webSocketServer.sendMessageToAll({ data });
    return { success: true };
  }
}

/** "Request-Response Pattern", "Client Metadata". */
@WebSocketGateway()
class UserController {
  constructor(private readonly webSocketServer: PxlWebSocketServer) {}

  @WsRoute('user', 'getProfile')
  async getProfile(_client: WsClient, data: { userId: number }): Promise<unknown> {
    const profile = await this.fetchUserProfile(data.userId);
    return { success: true, profile };
  }

  @WsRoute('user', 'updatePreferences')
  updatePreferences({ clientId }: WsClient, data: unknown): unknown {
    this.webSocketServer.clientManager.updateClient({ clientId, key: 'preferences', data });
    return { success: true };
  }

  private fetchUserProfile(userId: number): Promise<object> {
    return Promise.resolve({ userId, name: 'Alice' });
  }
}

/** "Error Handling" and "Rate Limiting" of the best practices. */
@WebSocketGateway()
class CarefulController {
  private readonly messageRateLimits = new Map<string, { count: number; resetAt: number }>();

  @WsRoute('careful', 'send')
  send(_client: WsClient, data: { text?: unknown } | undefined): unknown {
    try {
      if (!data?.text || typeof data.text !== 'string') {
        return { error: 'Invalid message format', code: 'INVALID_MESSAGE' };
      }
      if (data.text === 'broken') throw new Error('It is broken.');
      return { success: true };
    } catch {
      return { error: 'Failed to send message', code: 'SEND_ERROR' };
    }
  }

  @WsRoute('careful', 'limited')
  limited({ clientId }: WsClient): unknown {
    const limit = this.messageRateLimits.get(clientId);
    const now = Date.now();
    if (limit && now < limit.resetAt) {
      if (limit.count >= 10) return { error: 'Rate limit exceeded', code: 'RATE_LIMIT' };
      limit.count++;
    } else {
      this.messageRateLimits.set(clientId, { count: 1, resetAt: now + 60_000 });
    }
    return { success: true };
  }
}

/** What the documents do with `app.websocket.server` and a `WebSocketService` somewhere in an application. */
@Injectable()
class Elsewhere {
  constructor(
    readonly server: PxlWebSocketServer,
    readonly wsService: WebSocketService,
    readonly clientManager: ClientManager,
    readonly roomManager: RoomManager,
  ) {}
}

const GATEWAYS = [ChatController, GameController, AdminController, UserController, CarefulController, Elsewhere];

/** "WebSocket Server Configuration": what events were told. */
const told: string[] = [];
let onConnected: NonNullable<NonNullable<PxlWebSocketModuleOptions['events']>['onConnected']> | undefined;

const options: PxlWebSocketModuleOptions = {
  enabled: true,
  path: '/ws',
  debug: { printRoutes: true },
  rooms: { clientCanJoinMultipleRooms: true, open: true },
  disconnectInactiveClients: { enabled: true, inactiveTime: 300_000, intervalCheckTime: 60_000, log: false },
  auth: { jwt: { secret: SECRET }, required: false },
  events: {
    onServerStarted: ({ webSocketServer }) => told.push(`started ${webSocketServer.clients.size}`),
    onConnected: (connected) => {
      told.push(`${connected.clientId} connected`);
      return onConnected?.(connected);
    },
    onDisconnected: ({ clientId }) => told.push(`${clientId} disconnected`),
    onMessage: ({ ws, clientId, data }) =>
      told.push(`message from ${clientId}: ${JSON.stringify(data)} (${ws.readyState})`),
    onError: ({ error }) => told.push(`error ${error.message}`),
  },
};

let app: TestApp;
let server: PxlWebSocketServer;
let wsService: WebSocketService;
let clientManager: ClientManager;
const open: TestClient[] = [];

beforeAll(async () => {
  app = await startApp({ options, providers: GATEWAYS });
  ({ server, wsService, clientManager } = app.app.get(Elsewhere));
});

afterAll(() => app.close());

/** A client of its own for each test, with nobody else connected. */
async function connect(claims?: Record<string, unknown>): Promise<TestClient> {
  const path = claims ? `/ws?token=${hs256(claims)}` : '/ws';
  const client = await app.client({ path });
  open.push(client);
  return client;
}

async function alone(): Promise<void> {
  for (const client of open.splice(0)) await client.close();
  await until(() => clientManager.size === 0);
}

/** The socket of a client, as a handler of the framework gets it. */
function socketOf(client: TestClient): WebSocket {
  const { ws } = clientManager.getClient({ clientId: client.clientId, requireWs: true })!;
  return ws;
}

const data = async (client: TestClient, type: string, action: string): Promise<unknown> =>
  (await client.next(type, action)).data;

describe('the configuration of a server', () => {
  it('is told of its start, of connections, messages and their ends', async () => {
    await alone();
    expect(told[0]).toBe('started 0');
    const client = await connect();
    client.send({ type: 'chat', action: 'message', data: { text: 'Hello!' } });
    await client.next('error');
    await client.close();
    await until(() => told.includes(`${client.clientId} disconnected`));
    const own = told.filter((line) => line.includes(client.clientId));
    expect(own).toEqual([
      `${client.clientId} connected`,
      `message from ${client.clientId}: {"type":"chat","action":"message","data":{"text":"Hello!"}} (1)`,
      `${client.clientId} disconnected`,
    ]);
  });

  it('shows who has authenticated, in onConnected', async () => {
    await alone();
    const seen: unknown[] = [];
    onConnected = ({ clientId }) => {
      const client = server.clientManager.getClient({ clientId });
      const userId = client?.user?.userId;
      const userPayload = client?.user?.payload;
      seen.push(userId, userPayload?.role);
    };
    try {
      await connect(claimsOf(123, { role: 'admin' }));
      await connect();
    } finally {
      onConnected = undefined;
    }
    expect(seen).toEqual(['123', 'admin', undefined, undefined]);
  });

  it('puts a client into a room by what onConnected is given', async () => {
    await alone();
    onConnected = ({ joinRoom }) =>
      joinRoom({ userId: '123', userType: 'member', username: 'alice', roomName: 'lobby' });
    try {
      const client = await connect();
      await until(() => server.rooms.get('lobby')?.has(client.clientId) === true);
      expect(server.getClients({ userType: 'member' })).toHaveLength(1);
    } finally {
      onConnected = undefined;
    }
  });
});

describe('controllers', () => {
  it('send to all, and acknowledge to the sender', async () => {
    await alone();
    const [alice, bob] = [await connect(), await connect()];
    const answer = await alice.request('chat', 'send', { text: 'Hello everyone!', username: 'Alice' });
    expect(answer).toEqual({ success: true, messageId: expect.any(Number) });
    for (const client of [alice, bob]) {
      expect(await data(client, 'chat', 'message')).toEqual({
        username: 'Alice',
        message: 'Hello everyone!',
        timestamp: expect.any(String),
      });
    }
    expect(await bob.request('chat', 'typing', {})).toEqual({ success: true });
    expect(await data(alice, 'chat', 'userTyping')).toEqual({ username: 'Anonymous' });
    expect(bob.pending).toEqual([]);
  });

  it('know their user by its token, the e-mail address in its payload', async () => {
    await alone();
    const [alice, guest] = [await connect(claimsOf(7, { email: 'alice@example.com' })), await connect()];
    expect(await guest.request('chat', 'sendAsUser', { text: 'Hi' })).toEqual({ error: 'Authentication required' });
    expect(await alice.request('chat', 'sendAsUser', { text: 'Hi' })).toEqual({ success: true });
    expect(await data(guest, 'chat', 'message')).toEqual({
      userId: '7',
      userEmail: 'alice@example.com',
      message: 'Hi',
    });
  });

  it('reach the members of the room that their client is in', async () => {
    await alone();
    const [alice, bob, other] = [await connect(), await connect(), await connect()];
    for (const client of [alice, bob]) await client.join('game:lobby:5');
    expect(await alice.request('game', 'move', { field: -1 })).toEqual({ error: 'Invalid move' });
    expect(await alice.request('game', 'move', { field: 3 })).toEqual({ success: true });
    for (const client of [alice, bob]) {
      expect(await data(client, 'game', 'moveMade')).toEqual({ playerId: alice.clientId, move: { field: 3 } });
    }
    expect(other.pending).toEqual([]);
  });

  it('ask for a role', async () => {
    await alone();
    const [admin, guest] = [await connect(claimsOf(1, { role: 'admin' })), await connect()];
    const news = { type: 'news', action: 'flash', data: 'Listen' };
    expect(await guest.request('admin', 'broadcast', news)).toEqual({ error: 'Unauthorized', code: 'FORBIDDEN' });
    expect(await admin.request('admin', 'broadcast', news)).toEqual({ success: true });
    expect(await data(guest, 'news', 'flash')).toBe('Listen');
  });

  it('answer requests, keep what they are told of a client, and say what is wrong with a message', async () => {
    await alone();
    const client = await connect();
    const profile = { userId: 123, name: 'Alice' };
    expect(await client.request('user', 'getProfile', { userId: 123 })).toEqual({ success: true, profile });
    const preferences = { theme: 'dark', notifications: true };
    expect(await client.request('user', 'updatePreferences', preferences)).toEqual({ success: true });
    expect(clientManager.getClient({ clientId: client.clientId })?.metadata.preferences).toEqual(preferences);
    expect(await client.request('careful', 'send', {})).toMatchObject({ code: 'INVALID_MESSAGE' });
    expect(await client.request('careful', 'send', { text: 'broken' })).toMatchObject({ code: 'SEND_ERROR' });
    for (let n = 0; n < 10; n++) expect(await client.request('careful', 'limited')).toEqual({ success: true });
    expect(await client.request('careful', 'limited')).toEqual({ error: 'Rate limit exceeded', code: 'RATE_LIMIT' });
  });
});

describe('the server', () => {
  it('sends to all, and to one client by its socket', async () => {
    await alone();
    const [client, other] = [await connect(), await connect()];
    server.sendMessageToAll({
      data: { type: 'notification', action: 'alert', data: { message: 'Server maintenance in 5 minutes' } },
    });
    for (const each of [client, other]) {
      expect(await data(each, 'notification', 'alert')).toEqual({ message: 'Server maintenance in 5 minutes' });
    }
    const found = server.clientManager.getClient({ clientId: client.clientId });
    if (found?.ws) server.sendClientMessage(found.ws, { type: 'private', action: 'message', data: { text: 'Hello!' } });
    expect(await data(client, 'private', 'message')).toEqual({ text: 'Hello!' });
    expect(other.pending).toEqual([]);
  });

  it('sends the same text in a binary frame', async () => {
    await alone();
    const client = await connect();
    const frames: boolean[] = [];
    client.socket.on('message', (_data, isBinary) => frames.push(isBinary));
    const notice = { type: 'notification', action: 'alert', data: { message: 'Welcome!' } };
    server.sendClientMessage(socketOf(client), notice, true);
    expect(await client.next('notification', 'alert')).toEqual(notice);
    expect(frames).toEqual([true]);
  });

  it('puts a user of a token into a room, with a name and a type, and takes it out again', async () => {
    await alone();
    const client = await connect(claimsOf(123));
    const ws = socketOf(client);
    const join = { ws, userId: 123, username: 'alice', userType: 'member', roomName: 'general' };
    expect(await server.joinRoom(join)).toBe(true);
    expect([...(server.rooms.get('general') ?? [])]).toEqual([client.clientId]);
    expect(server.getClients({ userType: 'member' }).map(({ clientId }) => clientId)).toEqual([client.clientId]);
    server.leaveRoom({ ws, roomName: 'general' });
    expect(server.rooms.get('general')).toBeUndefined();
  });

  it('broadcasts to the members of a room, each by its socket', async () => {
    await alone();
    const [member, other] = [await connect(), await connect()];
    await member.join('general');
    const roomClients = server.rooms.get('general');
    if (roomClients) {
      roomClients.forEach((clientId) => {
        const client = server.clientManager.getClient({ clientId });
        if (client?.ws) {
          server.sendClientMessage(client.ws, {
            type: 'chat',
            action: 'message',
            data: { text: 'Room-specific message' },
          });
        }
      });
    }
    expect(await data(member, 'chat', 'message')).toEqual({ text: 'Room-specific message' });
    expect(other.pending).toEqual([]);
  });

  it('has a broadcast for everybody, with an exclusion or a predicate, for rooms, for users and for one client', async () => {
    await alone();
    const [premium, sender] = [await connect(claimsOf(456, { subscription: 'premium' })), await connect(claimsOf(789))];
    await premium.join('general');
    await sender.join('general');
    const message = (text: string): WebSocketMessage => ({ type: 'test', action: 'text', data: text });
    const excludeClientId = sender.clientId;
    server.broadcastToAllClients({ data: message('all') });
    server.broadcastToAllClients({ data: message('all but one'), excludeClientId });
    server.broadcastToAllClients({
      data: message('premium'),
      predicate: ({ userData }) => userData?.subscription === 'premium',
    });
    server.broadcastToRoom({ roomName: 'general', data: message('room') });
    server.broadcastToRoom({ roomName: 'general', data: message('room but one'), excludeClientId });
    server.broadcastToUsers({ userIds: [123, 456], data: message('users') });
    server.broadcastToClient({ clientId: premium.clientId, data: message('client') });
    const texts = async (client: TestClient, count: number): Promise<unknown[]> => {
      const heard: Received[] = [];
      while (heard.length < count) heard.push(await client.next('test', 'text'));
      return heard.map((one) => one.data);
    };
    expect(await texts(premium, 7)).toEqual([
      'all',
      'all but one',
      'premium',
      'room',
      'room but one',
      'users',
      'client',
    ]);
    expect(await texts(sender, 2)).toEqual(['all', 'room']);
    expect(sender.pending).toEqual([]);
  });

  it('tells one client of an error', async () => {
    await alone();
    const client = await connect();
    server.sendMessageError({ webSocketClientId: client.clientId, error: 'It did not work.' });
    expect(await client.next('error')).toMatchObject({ data: { error: 'It did not work.' } });
  });

  it('sends what has gathered in one message', async () => {
    await alone();
    const client = await connect();
    const messageQueue: unknown[] = [1, 2, 3];
    server.sendMessageToAll({ data: { type: 'batch', action: 'messages', data: messageQueue.splice(0) } });
    expect(await data(client, 'batch', 'messages')).toEqual([1, 2, 3]);
  });

  it('prints its rooms, and says how it is', async () => {
    await alone();
    const client = await connect();
    await client.join('chat:general');
    server.roomManager.printRooms();
    expect(wsService.getWebSocketHealth()).toMatchObject({ status: 'healthy', activeConnections: 1, rooms: 1 });
  });
});

describe('WebSocketService', () => {
  it('sends to all and to rooms, and has its three short forms', async () => {
    await alone();
    const [vip, other] = [await connect(), await connect()];
    await vip.join('vip');
    await wsService.broadcast({ type: 'notification', action: 'update', data: { message: 'New version available' } });
    await wsService.sendToRooms(['vip', 'moderators'], {
      type: 'admin',
      action: 'alert',
      data: { message: 'Review pending content' },
    });
    await wsService.sendUserMessage('profileUpdated', { userId: 123, changes: ['avatar', 'bio'] });
    await wsService.sendSystemMessage('maintenance', { minutes: 5 });
    await wsService.sendErrorMessage('authFailed', new Error('Invalid token'));
    expect(await data(vip, 'admin', 'alert')).toEqual({ message: 'Review pending content' });
    for (const client of [vip, other]) {
      expect(await data(client, 'notification', 'update')).toEqual({ message: 'New version available' });
      expect(await data(client, 'user', 'profileUpdated')).toEqual({ userId: 123, changes: ['avatar', 'bio'] });
      expect(await data(client, 'system', 'maintenance')).toEqual({ minutes: 5 });
      expect(await data(client, 'error', 'authFailed')).toMatchObject({ error: 'Invalid token' });
      expect(client.pending).toEqual([]);
    }
  });
});

describe('clients', () => {
  it('of a browser switch over the type and action of what they hear', async () => {
    await alone();
    const ws = new WebSocket(app.url());
    const shown: string[] = [];
    await new Promise<void>((resolve, reject) => {
      ws.onopen = () => {
        ws.send(JSON.stringify({ type: 'chat', action: 'send', data: { username: 'Alice', text: 'Hello everyone!' } }));
      };
      ws.onmessage = (event) => {
        const message = JSON.parse(event.data as string) as { type: string; action: string; data: { message: string } };
        switch (message.type) {
          case 'chat':
            if (message.action === 'message') shown.push(message.data.message);
            break;
          case 'notification':
            shown.push(message.data.message);
            ws.close();
            break;
        }
        if (message.action === 'message') {
          server.sendMessageToAll({ data: { type: 'notification', action: 'alert', data: { message: 'Stop' } } });
        }
      };
      ws.onerror = reject;
      ws.onclose = () => resolve();
    });
    expect(shown).toEqual(['Hello everyone!', 'Stop']);
  });

  it('of Node are made, connected, heard and ended by the names of the framework', async () => {
    await alone();
    const told: unknown[] = [];
    const client = new WebSocketClient({
      url: app.url(),
      webSocket: WebSocket,
      events: {
        onConnected: ({ clientId }) => told.push(clientId),
        onMessage: ({ data }) => told.push(data),
      },
    });
    expect(client.type).toBe('client');
    await client.connectToServer();
    expect(client.isClientConnected()).toBe(true);
    client.sendClientMessage({ type: 'chat', action: 'send', data: { text: 'Hello from Node.js client' } });
    await until(() => told.length >= 3);
    expect(told[0]).toBe(client.clientId);
    expect(JSON.stringify(told)).toContain('Hello from Node.js client');
    client.disconnect();
    expect(client.isClientConnected()).toBe(false);
    await until(() => clientManager.size === 0);
  });

  it('answer a heartbeat that the application sends as a message', async () => {
    await alone();
    const ws = new WebSocket(app.url());
    ws.onmessage = (event) => {
      const message = JSON.parse(event.data as string) as { type: string; action: string };
      if (message.type === 'system' && message.action === 'ping') {
        ws.send(JSON.stringify({ type: 'system', action: 'pong' }));
      }
    };
    await until(() => clientManager.size === 1);
    const before = told.length;
    server.sendMessageToAll({ data: { type: 'system', action: 'ping' } });
    await until(() => told.slice(before).some((line) => line.includes('"pong"')));
    expect(told.slice(before).filter((line) => line.startsWith('error'))).toEqual([]);
    ws.terminate();
  });

  it('of the best practices come back by themselves, with a wait that doubles', async () => {
    await alone();
    const manager = new WebSocketManager();
    manager.connect(app.url());
    await until(() => clientManager.size === 1);
    for (const client of clientManager.getClients()) clientManager.disconnectClient({ clientId: client.clientId });
    await until(() => manager.connections === 2 && clientManager.size === 1);
    manager.stop();
  });
});

/** "Connection Management". */
class WebSocketManager {
  private ws: WebSocket | null = null;
  private reconnectAttempts = 0;
  private readonly maxReconnectAttempts = 5;
  private readonly reconnectDelay = 10;
  connections = 0;

  connect(url: string): void {
    this.ws = new WebSocket(url);
    this.ws.onopen = () => {
      this.connections++;
      this.reconnectAttempts = 0;
    };
    this.ws.onclose = () => this.reconnect(url);
    this.ws.onerror = () => undefined;
  }

  stop(): void {
    if (this.ws) this.ws.onclose = null;
    this.ws?.close();
  }

  private reconnect(url: string): void {
    if (this.reconnectAttempts >= this.maxReconnectAttempts) return;
    this.reconnectAttempts++;
    const delay = this.reconnectDelay * Math.pow(2, this.reconnectAttempts - 1);
    setTimeout(() => this.connect(url), delay);
  }
}
