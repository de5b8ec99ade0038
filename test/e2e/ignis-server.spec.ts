import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ClientManager,
  PxlWebSocketServer,
  WebSocketService,
  type PxlWebSocketModuleOptions,
  type WsCredentials,
  type WsVerdict,
} from 'nestjs-pxl-websocket';
import { Diary } from '../support/diary.js';
import { IgnisClient } from '../support/ignis-client.js';
import { startApp, type TestApp } from '../support/test-app.js';

const diary = new Diary();

const options: PxlWebSocketModuleOptions = {
  protocol: 'event',
  path: '/events',
  auth: {
    authenticate: ({ source, data }: WsCredentials): WsVerdict =>
      source === 'upgrade' ? null : { userId: (data as { name: string }).name, metadata: { color: 'red' } },
  },
  events: {
    onConnected: ({ client }) => diary.write(`connected ${client.user?.userId} ${[...client.rooms].join()}`),
    onDisconnected: ({ client, clientId }) => diary.write(`disconnected ${client.user?.userId} ${clientId}`),
  },
};

let app: TestApp;
let server: PxlWebSocketServer;
let manager: ClientManager;
let service: WebSocketService;
/** Two sessions of Ada, one of Bo. */
let ada: IgnisClient;
let adaAgain: IgnisClient;
let bo: IgnisClient;

beforeEach(async () => {
  diary.entries.length = 0;
  app = await startApp({ options });
  server = app.app.get(PxlWebSocketServer);
  manager = app.app.get(ClientManager);
  service = app.app.get(WebSocketService);
  const connect = (name: string): Promise<IgnisClient> => IgnisClient.connect(app.url('/events'), { name });
  [ada, adaAgain, bo] = [await connect('ada'), await connect('ada'), await connect('bo')];
});
afterEach(async () => {
  await app.close();
  for (const { socket } of [ada, adaAgain, bo]) socket.terminate();
});

const idsOf = (clients: readonly { clientId: string }[]): string[] => clients.map(({ clientId }) => clientId);

/** Checks that these clients, and no others, have got one message each. */
async function expectReached(expected: readonly IgnisClient[], message: unknown): Promise<void> {
  for (const client of [ada, adaAgain, bo]) {
    await client.ask('heartbeat');
    expect(client.pending).toEqual(expected.includes(client) ? [message] : []);
    if (expected.includes(client)) await client.next();
  }
}

describe('what WebSocketServerHelper does', () => {
  it('getPath', () => {
    expect(server.getPath()).toBe('/events');
  });

  it('getClients, with an id and without', () => {
    expect(idsOf(manager.getClients())).toEqual([ada.id, adaAgain.id, bo.id]);
    expect(manager.getClient({ clientId: bo.id })?.clientId).toBe(bo.id);
    expect(manager.getClient({ clientId: 'unknown' })).toBeUndefined();
  });

  it('getClientsByUser, empty for a user who is not connected', () => {
    expect(idsOf(manager.getClientsByUser({ userId: 'ada' }))).toEqual([ada.id, adaAgain.id]);
    expect(manager.getClientsByUser({ userId: 'cy' })).toEqual([]);
  });

  it('joinRoom, leaveRoom and getClientsByRoom, empty for a room that nobody is in', async () => {
    expect(await server.joinRoom({ clientId: ada.id, roomName: 'tea' })).toBe(true);
    expect(idsOf(manager.getClientsByRoom({ room: 'tea' }))).toEqual([ada.id]);
    server.leaveRoom({ clientId: ada.id, roomName: 'tea' });
    expect(manager.getClientsByRoom({ room: 'tea' })).toEqual([]);
  });

  it('sendToClient, sendToUser, sendToRoom and broadcast, with exclude', async () => {
    const message = { event: 'news', data: { n: 1 } };
    await service.sendToClients([bo.id], message);
    await expectReached([bo], message);
    await service.sendToUsers(['ada'], message);
    await expectReached([ada, adaAgain], message);
    await service.joinRooms({ clientIds: [ada.id, bo.id], rooms: ['tea'] });
    await service.sendToRooms(['tea'], message);
    await expectReached([ada, bo], message);
    await service.sendToRooms(['tea'], message, { exclude: [bo.id] });
    await expectReached([ada], message);
    await service.broadcast(message);
    await expectReached([ada, adaAgain, bo], message);
    await service.broadcast(message, { exclude: [ada.id] });
    await expectReached([adaAgain, bo], message);
  });

  it('sends to users, moves them into rooms, counts and disconnects them', async () => {
    await service.joinRooms({ userIds: ['ada'], rooms: ['tea'] });
    expect(idsOf(manager.getClientsByRoom({ room: 'tea' }))).toEqual([ada.id, adaAgain.id]);
    await service.leaveRooms({ userIds: ['ada'], rooms: ['tea'] });
    expect(manager.getClientsByRoom({ room: 'tea' })).toEqual([]);
    expect(await service.countClients({ userId: 'ada' })).toEqual({ count: 2, partial: false });
    expect(idsOf((await service.fetchClients({ userId: 'bo' })).clients)).toEqual([bo.id]);
    await service.disconnectUser({ userId: 'ada', code: 4000, reason: 'enough' });
    for (const { closed } of [ada, adaAgain]) expect(await closed).toEqual({ code: 4000, reason: 'enough' });
    await bo.ask('heartbeat');
  });

  it('send, to everybody, a client, a room or a user, and calls back', async () => {
    const payload = { topic: 'news', data: 1 };
    const message = { event: 'news', data: 1 };
    await service.send({ payload });
    await expectReached([ada, adaAgain, bo], message);
    await service.send({ destination: bo.id, payload });
    await expectReached([bo], message);
    await service.joinRooms({ clientIds: [ada.id], rooms: ['tea', bo.id] });
    await service.send({ destination: 'tea', payload });
    await expectReached([ada], message);
    await service.send({ destination: { room: bo.id }, payload });
    await expectReached([ada], message);
    await service.send({ destination: { user: 'ada' }, payload });
    await expectReached([ada, adaAgain], message);
    const called = new Promise<void>((resolve) => void service.send({ destination: 'nobody', payload, cb: resolve }));
    await called;
    await expectReached([], message);
  });

  it('shutdown closes everybody with 1001 and calls back for each', async () => {
    await server.stop();
    for (const { closed } of [ada, adaAgain, bo]) expect((await closed).code).toBe(1001);
    for (const { id } of [ada, adaAgain]) await diary.until(`disconnected ada ${id}`);
    await diary.until(`disconnected bo ${bo.id}`);
    expect(manager.getClients()).toEqual([]);
    expect(server.rooms.size).toBe(0);
  });
});

describe('its callbacks', () => {
  it('clientConnectedFn: the client is authenticated, and in its default rooms', async () => {
    await diary.until('connected bo');
    expect(diary.entries).toEqual([
      'connected ada ws-default,ws-notification',
      'connected ada ws-default,ws-notification',
      'connected bo ws-default,ws-notification',
    ]);
  });

  it('clientDisconnectedFn: once for each connection, with the client and its user', async () => {
    bo.socket.close();
    await diary.until(`disconnected bo ${bo.id}`);
    ada.emit('disconnect');
    await diary.until(`disconnected ada ${ada.id}`);
    expect(diary.entries.filter((entry) => entry.startsWith('disconnected'))).toHaveLength(2);
  });
});

describe('what it knows of a client', () => {
  it('is the same here', async () => {
    const client = manager.getClient({ clientId: ada.id, requireWs: true })!;
    expect(client).toMatchObject({
      clientId: ada.id,
      user: { userId: 'ada' },
      ws: { readyState: 1 },
      state: 'authenticated',
      backpressured: false,
      encrypted: false,
      connectedAt: expect.any(Number),
      lastActivity: expect.any(Number),
      metadata: { color: 'red' },
    });
    expect([...client.rooms]).toEqual(['ws-default', 'ws-notification']);
    ada.socket.close();
    await diary.until('disconnected ada');
    expect(client.state).toBe('disconnected');
  });
});
