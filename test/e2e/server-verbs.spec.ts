import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientManager, PxlWebSocketServer, RoomManager, type WsClient } from 'nestjs-pxl-websocket';
import { EveryWorkerServer } from '../../lib/server/facade/every-worker-server.js';
import { HubBroadcaster } from '../support/hub-broadcaster.js';
import { Logbook } from '../support/logbook.js';
import { refused } from '../support/refused.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { urlIdentity } from '../support/url-identity.js';

class OwnBus extends HubBroadcaster {
  constructor() {
    super('own', new Set());
  }
}

const news = { type: 'news', action: 'flash', data: { text: 'hello' } };

let app: TestApp;
let server: PxlWebSocketServer;
let admin: TestClient;
let guest: TestClient;
let nobody: TestClient;

beforeEach(async () => {
  app = await startApp({ options: { path: '/live', auth: { authenticate: urlIdentity } } });
  server = app.app.get(PxlWebSocketServer);
  const connect = (query: string): Promise<TestClient> => app.client({ path: `/live?${query}` });
  admin = await connect('userId=7&userType=admin&plan=premium');
  guest = await connect('userId=8&userType=guest&plan=free');
  nobody = await connect('');
});

afterEach(() => app.close());

function sideOf({ clientId }: TestClient): WsClient {
  return server.clientManager.getClient({ clientId, requireWs: true })!;
}

async function expectReached(expected: readonly TestClient[], message: unknown = news): Promise<void> {
  for (const client of [admin, guest, nobody]) {
    await client.request('system', 'ping');
    expect(client.pending).toEqual(expected.includes(client) ? [message] : []);
    if (expected.includes(client)) await client.next();
  }
}

it.each([
  ['a bus of the application’s own', 1],
  ['one process, which knows all clients', 0],
])('a predicate is a warning, once, with %s', async (_what, times) => {
  const logger = new Logbook();
  const { app: other } = await startApp({ logger, options: times > 0 ? { broadcaster: OwnBus } : {} });
  for (let turn = 0; turn < 2; turn++) {
    other.get(PxlWebSocketServer).local.broadcastToAllClients({ data: news, predicate: () => true });
    other.get(PxlWebSocketServer).broadcastToAllClients({ data: news, predicate: () => true });
  }
  const line =
    "A predicate of broadcastToAllClients picks among this worker's clients only: it knows no others with a broadcaster of " +
    "the application's own.";
  expect(logger.of('warn')).toEqual(Array<string>(times).fill(line));
  await other.close();
});

it('gives its parts: type, path, managers and rooms', async () => {
  expect(server.type).toBe('server');
  expect(server.getPath()).toBe('/live');
  expect(server.clientManager).toBe(app.app.get(ClientManager));
  expect(server.roomManager).toBe(app.app.get(RoomManager));
  await sideOf(admin).join('chess');
  expect(server.rooms.get('chess')?.has(admin.clientId)).toBe(true);
});

describe.each([
  ['the server', () => server],
  ['its local view', () => server.local],
])('the verbs of %s', (_, of) => {
  it('getClients lists all clients, or those of one user type', () => {
    expect(
      of()
        .getClients()
        .map(({ clientId }) => clientId),
    ).toEqual([admin.clientId, guest.clientId, nobody.clientId]);
    expect(of().getClients({ userType: 'guest' })).toEqual([sideOf(guest)]);
  });

  it('sendMessageToAll reaches everybody', async () => {
    of().sendMessageToAll({ data: news });
    await expectReached([admin, guest, nobody]);
  });

  it('broadcastToAllClients leaves out who is excluded', async () => {
    of().broadcastToAllClients({ data: news, excludeClientId: guest.clientId });
    await expectReached([admin, nobody]);
  });

  it('broadcastToAllClients reaches whom the predicate picks by user data, id or client', async () => {
    of().broadcastToAllClients({ data: news, predicate: ({ userData }) => userData?.plan === 'premium' });
    await expectReached([admin]);
    of().broadcastToAllClients({ data: news, predicate: ({ userData }) => userData?.userId === '8' });
    await expectReached([guest]);
    of().broadcastToAllClients({ data: news, predicate: ({ userData }) => userData === null });
    await expectReached([nobody]);
    of().broadcastToAllClients({ data: news, predicate: ({ clientId }) => clientId === admin.clientId });
    await expectReached([admin]);
    await sideOf(guest).join('chess');
    of().broadcastToAllClients({ data: news, predicate: ({ client }) => client.rooms.has('chess') });
    await expectReached([guest]);
    of().broadcastToAllClients({ data: news, predicate: () => true, excludeClientId: admin.clientId });
    await expectReached([guest, nobody]);
    of().broadcastToAllClients({ data: news, predicate: () => false });
    await expectReached([]);
  });

  it('broadcastToRoom reaches the members but the excluded one', async () => {
    for (const client of [admin, guest]) await sideOf(client).join('chess');
    of().broadcastToRoom({ roomName: 'chess', data: news });
    await expectReached([admin, guest]);
    of().broadcastToRoom({ roomName: 'chess', data: news, excludeClientId: admin.clientId });
    await expectReached([guest]);
    of().broadcastToRoom({ roomName: admin.clientId, data: news });
    await expectReached([]);
  });

  it('broadcastToUsers and broadcastToClient reach whom they name', async () => {
    of().broadcastToUsers({ userIds: [7, '8', 'unknown'], data: news });
    await expectReached([admin, guest]);
    of().broadcastToUsers({ userIds: [], data: news });
    of().broadcastToClient({ clientId: 'unknown', data: news });
    await expectReached([]);
    of().broadcastToClient({ clientId: nobody.clientId, data: news });
    await expectReached([nobody]);
  });

  it('sendMessageError sends one client an error of the application', async () => {
    of().sendMessageError({ webSocketClientId: guest.clientId, error: 'Declined.' });
    const data = { error: 'Declined.', code: 'APPLICATION', retryable: false };
    await expectReached([guest], { type: 'error', action: 'message', data });
  });
});

describe.each([
  ['the server', () => server],
  [
    'what a subscriber of every worker has',
    () => app.app.get(EveryWorkerServer).for({ channel: 'a', message: null, isResponsible: true }),
  ],
])('the parts of %s:', (_, of) => {
  // PXL's example of a controller that tells the members of a room.
  it('rooms, clientManager and sendClientMessage reach the members of a room one by one', async () => {
    const { type, rooms, roomManager, clientManager } = of();
    expect(type).toBe('server');
    for (const client of [admin, guest])
      expect(await of().joinRoom({ ws: sideOf(client).ws, roomName: 'chess' })).toBe(true);
    const members = rooms.get('chess');
    members?.forEach((clientId) => {
      const client = clientManager.getClient({ clientId });
      if (client?.ws) of().sendClientMessage(client.ws, news);
    });
    await expectReached([admin, guest]);
    expect(clientManager.getClientsByRoom({ room: 'chess' })).toEqual([sideOf(admin), sideOf(guest)]);
    expect(roomManager.getRoomClients({ roomName: 'chess' })).toEqual([admin.clientId, guest.clientId]);
    expect([...rooms].map(([name, ids]) => [name, ...ids])).toEqual([['chess', admin.clientId, guest.clientId]]);
    of().leaveRoom({ ws: sideOf(guest).ws, roomName: 'chess' });
    expect([...(of().rooms.get('chess') ?? [])]).toEqual([admin.clientId]);
    of().roomManager.removeClientFromAllRooms({ clientId: admin.clientId });
    expect([of().rooms.size, of().rooms.has('chess'), of().rooms.get('chess')]).toEqual([0, false, undefined]);
  });

  it('clientManager finds, changes and closes clients', async () => {
    const { clientManager } = of();
    expect(clientManager.size).toBe(3);
    expect(clientManager.getClientId({ ws: sideOf(guest).ws })).toBe(guest.clientId);
    expect(clientManager.getClientsByUser({ userId: 8 })).toEqual([sideOf(guest)]);
    expect(clientManager.getClientByKey({ key: 'user.payload.plan', value: 'premium' })).toBe(sideOf(admin));
    expect(clientManager.getClientByKey({ key: 'user.userId', value: 9 })).toBeUndefined();
    clientManager.updateClient({ clientId: guest.clientId, key: 'theme', data: 'dark' });
    expect(sideOf(guest).metadata).toEqual({ theme: 'dark' });
    clientManager.disconnectClient({ clientId: guest.clientId, code: 4242 });
    clientManager.removeClient(nobody.clientId);
    expect([(await guest.closed).code, (await nobody.closed).code]).toEqual([4242, 4506]);
    expect(clientManager.getClient({ clientId: nobody.clientId })).toBeUndefined();
    clientManager.cleanup();
    expect((await admin.closed).code).toBe(1001);
  });

  it('roomManager takes clients in and out', async () => {
    const { roomManager } = of();
    for (const roomName of ['chess', 'go']) {
      expect(await roomManager.addClientToRoom({ clientId: guest.clientId, roomName })).toBe(true);
    }
    roomManager.removeClientFromRoom({ clientId: guest.clientId, roomName: 'go' });
    expect(roomManager.isClientInRoom({ clientId: guest.clientId, roomName: 'go' })).toBe(false);
    expect(roomManager.isClientInRoom({ clientId: guest.clientId, roomName: 'chess' })).toBe(true);
    roomManager.printRooms();
    roomManager.cleanup();
    expect(roomManager.isClientInRoom({ clientId: guest.clientId, roomName: 'chess' })).toBe(false);
  });

  it('stop ends every connection', async () => {
    await of().stop();
    expect((await admin.closed).code).toBe(1001);
  });
});

describe('joinRoom and leaveRoom', () => {
  it.each([
    ['its socket', () => ({ ws: sideOf(admin).ws })],
    ['the client', () => ({ client: sideOf(admin) })],
    ['its id', () => ({ clientId: admin.clientId })],
  ])('take a client by %s', async (_, reference) => {
    expect(await server.joinRoom({ ...reference(), roomName: 'chess' })).toBe(true);
    server.broadcastToRoom({ roomName: 'chess', data: news });
    await expectReached([admin]);
    server.leaveRoom({ ...reference(), roomName: 'chess' });
    server.leaveRoom({ ...reference(), roomName: 'chess' });
    expect(server.rooms.size).toBe(0);
  });

  it('joinRoom gives an anonymous client an identity', async () => {
    const join = { clientId: nobody.clientId, roomName: 'chess', userId: 9, userType: 'member' };
    expect(await server.joinRoom(join)).toBe(true);
    expect(sideOf(nobody).user).toEqual({ userId: '9', userType: 'member', payload: {} });
    server.broadcastToUsers({ userIds: [9], data: news });
    await expectReached([nobody]);
  });

  it('joinRoom throws CONFLICT for an identity that contradicts a verified one, and does not join', async () => {
    const join = { clientId: admin.clientId, roomName: 'chess' };
    await expect(server.joinRoom({ ...join, userId: 8 })).rejects.toThrow(refused('CONFLICT'));
    await expect(server.joinRoom({ ...join, userId: 7, userType: 'owner' })).rejects.toThrow(refused('CONFLICT'));
    await expect(server.joinRoom({ ...join, userType: 'owner' })).rejects.toThrow(refused('CONFLICT'));
    expect(server.rooms.size).toBe(0);
    expect(await server.joinRoom({ ...join, userId: 7, userType: 'admin' })).toBe(true);
    expect(sideOf(admin).user).toMatchObject({ userId: '7', payload: { plan: 'premium' } });
  });

  // The example of PXL's reference, for a user whose token names no type.
  it('joinRoom tells the type of a user whose credentials name none, and contradicts them in nothing', async () => {
    const alice = await app.client({ path: '/live?userId=123&plan=free' });
    const join = { ws: sideOf(alice).ws, userId: 123, username: 'Alice', userType: 'member', roomName: 'chat:general' };
    expect(await server.joinRoom(join)).toBe(true);
    const user = { userId: '123', userType: 'member', payload: { plan: 'free' } };
    expect(sideOf(alice).user).toEqual(user);
    expect(server.getClients({ userType: 'member' })).toEqual([sideOf(alice)]);

    expect(await server.joinRoom({ ...join, userId: '123', userType: undefined, roomName: 'tea' })).toBe(true);
    await expect(server.joinRoom({ ...join, userType: 'owner' })).rejects.toThrow(refused('CONFLICT'));
    await expect(server.joinRoom({ ...join, userId: 124 })).rejects.toThrow(refused('CONFLICT'));
    expect(sideOf(alice).user).toEqual(user);
  });

  it('joinRoom throws for wrong arguments', async () => {
    const { clientId } = nobody;
    const anyJoin = (join: object): Promise<boolean> =>
      server.joinRoom({ roomName: 'chess', ...join } as Parameters<typeof server.joinRoom>[0]);
    await expect(anyJoin({})).rejects.toThrow(refused('BAD_MESSAGE'));
    await expect(anyJoin({ clientId: 7 })).rejects.toThrow(refused('BAD_MESSAGE'));
    await expect(anyJoin({ client: {} })).rejects.toThrow(refused('BAD_MESSAGE'));
    await expect(anyJoin({ clientId, userId: {} })).rejects.toThrow(refused('BAD_MESSAGE'));
    await expect(anyJoin({ clientId, userId: '' })).rejects.toThrow(refused('BAD_MESSAGE'));
    await expect(anyJoin({ clientId, userType: 'admin' })).rejects.toThrow(refused('BAD_MESSAGE'));
    await expect(anyJoin({ clientId, roomName: '' })).rejects.toThrow(refused('INVALID_ROOM'));
    await expect(anyJoin({ clientId: 'gone', roomName: 7 })).rejects.toThrow(refused('INVALID_ROOM'));
    expect(() => server.leaveRoom({ roomName: 'chess' } as Parameters<typeof server.leaveRoom>[0])).toThrow(
      refused('BAD_MESSAGE'),
    );
    expect(sideOf(nobody).user).toBeNull();
    expect(server.rooms.size).toBe(0);
  });

  it('joinRoom resolves with false for a client that is gone, and for a socket that is no client', async () => {
    const client = sideOf(admin);
    await admin.close();
    await nobody.request('system', 'ping');
    for (const reference of [{ client }, { ws: client.ws }, { clientId: client.clientId }, { ws: nobody.socket }]) {
      expect(await server.joinRoom({ ...reference, roomName: 'chess' })).toBe(false);
      server.leaveRoom({ ...reference, roomName: 'chess' });
    }
    expect(server.rooms.size).toBe(0);
  });
});

describe('sendClientMessage', () => {
  it('sends to one client, by its socket or itself, a text as JSON too', async () => {
    server.sendClientMessage(sideOf(guest).ws, news);
    await expectReached([guest]);
    server.sendClientMessage(sideOf(guest), 'hello');
    await expectReached([guest], 'hello');
  });

  it('sends the same text in a binary frame, in order with other messages', async () => {
    const frames: [string, boolean][] = [];
    guest.socket.on('message', (data: Buffer, isBinary: boolean) => frames.push([data.toString(), isBinary]));
    server.sendClientMessage(sideOf(guest), 1);
    server.sendClientMessage(sideOf(guest), news, true);
    server.sendClientMessage(sideOf(guest), 2);
    while (frames.length < 3) await once(guest.socket, 'message');
    expect(frames).toEqual([
      ['1', false],
      [JSON.stringify(news), true],
      ['2', false],
    ]);
  });

  it('does nothing for a client that is gone', async () => {
    const client = sideOf(guest);
    await guest.close();
    server.sendClientMessage(client, news);
    server.sendClientMessage(client.ws, news, true);
    server.sendClientMessage(nobody.socket, news);
    await nobody.expectNothing(50);
  });
});

it('stop() is the part of app.close() that ends the connections: 1001 for everybody, 503 for newcomers', async () => {
  await server.stop();
  for (const client of [admin, guest, nobody]) expect((await client.closed).code).toBe(1001);
  await expect(app.client({ path: '/live' })).rejects.toThrow('503');
  await server.stop();
});
