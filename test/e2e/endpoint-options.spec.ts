import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketServer,
  RoomManager,
  WebSocketService,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
  type WsCredentials,
} from 'nestjs-pxl-websocket';
import { refused } from '../support/refused.js';
import { createApp, startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';

@WebSocketGateway()
class Everywhere {
  @WsRoute('who', 'am-i')
  whoAmI(client: WsClient): unknown {
    return { path: client.path, userId: client.user?.userId ?? null };
  }
}

@WebSocketGateway({ path: '/admin' })
class Admin {
  @WsRoute('event', 'join')
  join(): void {}
}

/** Takes the query's user at its word. */
const byQuery = ({ request }: WsCredentials): { userId: string } | null => {
  const userId = new URL(request.url, 'http://localhost').searchParams.get('user');
  return userId === null ? null : { userId };
};

let app: TestApp;
afterEach(() => app.close());

async function start(options: PxlWebSocketModuleOptions): Promise<void> {
  app = await startApp({ providers: [Everywhere, Admin], options });
}

describe('the option endpoints', () => {
  it('gives a path an authentication of its own', async () => {
    await start({ endpoints: { '/admin': { auth: { authenticate: byQuery } } } });
    const anybody = await app.client({ path: '/ws' });
    expect(await anybody.request('who', 'am-i')).toEqual({ path: '/ws', userId: null });
    await expect(TestClient.open(app.url('/admin'))).rejects.toThrow('401');
    const admin = await app.client({ path: '/admin?user=ada' });
    expect(await admin.request('who', 'am-i')).toEqual({ path: '/admin', userId: 'ada' });
  });

  it('lays a group over that of the module', async () => {
    const auth = { authenticate: byQuery, required: true };
    await start({ auth, endpoints: { '/admin': { auth: { required: false } } } });
    await expect(TestClient.open(app.url('/ws'))).rejects.toThrow('401');
    const anybody = await app.client({ path: '/admin' });
    expect(await anybody.request('who', 'am-i')).toEqual({ path: '/admin', userId: null });
    const ada = await app.client({ path: '/admin?user=ada' });
    expect(await ada.request('who', 'am-i')).toEqual({ path: '/admin', userId: 'ada' });
  });

  it('gives a path origins of its own', async () => {
    await start({ endpoints: { '/admin': { origins: ['https://admin.example'] } } });
    const from = (path: string, origin: string): Promise<TestClient> => TestClient.open(app.url(path), { origin });
    const own = app.origin;
    await (await from('/ws', own)).close();
    await expect(from('/admin', own)).rejects.toThrow('403');
    await (await from('/admin', 'https://admin.example')).close();
    await expect(from('/ws', 'https://admin.example')).rejects.toThrow('403');
  });

  it('gives a path rooms of its own', async () => {
    const rooms = { open: true, announce: true, defaults: ['admins'], authorize: () => true };
    await start({ endpoints: { '/admin': { rooms } } });
    const join = { roomName: 'tea' };
    const somebody = await app.client({ path: '/ws' });
    await expect(somebody.request('system', 'joinRoom', join)).rejects.toThrow('FORBIDDEN');
    const [first, second] = [await app.client({ path: '/admin' }), await app.client({ path: '/admin' })];
    await expect(first.request('system', 'joinRoom', join)).resolves.toBeDefined();
    expect(await first.next('room', 'memberJoined')).toMatchObject({
      data: { roomName: 'admins', member: { clientId: second.clientId } },
    });
  });

  it('gives a path limits of its own', async () => {
    const limits = { maxPayload: 100, messagesPerSecond: 1, burst: 1, roomName: 3, roomsPerClient: 1 };
    await start({ rooms: { open: true }, endpoints: { '/admin': { limits } } });
    const announced = async (path: string): Promise<unknown> =>
      (await (await TestClient.open(app.url(path))).next()).data;
    const none = { maxPayload: 65_536, messagesPerSecond: null, burst: null, rooms: 128 };
    expect(await announced('/ws')).toMatchObject({ limits: none });
    const own = { maxPayload: 100, messagesPerSecond: 1, burst: 1, rooms: 1 };
    expect(await announced('/admin')).toMatchObject({ limits: own, rooms: { ownJoin: true } });
    const large = { type: 'who', action: 'am-i', data: 'x'.repeat(200), id: 1 };
    const somebody = await app.client({ path: '/ws' });
    somebody.send(large);
    await somebody.next('who');
    const admin = await app.client({ path: '/admin' });
    await expect(admin.request('system', 'joinRoom', { roomName: 'four' })).rejects.toThrow('INVALID_ROOM');
    await expect(admin.request('who', 'am-i')).rejects.toThrow('RATE_LIMITED');
    const another = await app.client({ path: '/admin' });
    another.send(large);
    expect((await another.closed).code).toBe(1009);
  });

  it('gives the clients of a path its own limit of names where the server puts them into rooms', async () => {
    const endpoints = { '/admin': { limits: { roomName: 8 } } };
    await start({ limits: { roomName: 4 }, endpoints });
    const [server, rooms] = [app.app.get(PxlWebSocketServer), app.app.get(RoomManager)];
    const sockets = app.app.get(WebSocketService);
    const [{ clientId: admin }, { clientId: somebody }] = [
      await app.client({ path: '/admin' }),
      await app.client({ path: '/ws' }),
    ];
    await expect(server.joinRoom({ clientId: admin, roomName: 'lobby' })).resolves.toBe(true);
    await expect(rooms.addClientToRoom({ clientId: admin, roomName: 'parlour' })).resolves.toBe(true);
    await sockets.joinRooms({ clientIds: [admin], rooms: ['kitchen'] });
    expect(rooms.getRoomClients({ roomName: 'kitchen' })).toEqual([admin]);

    const invalid = refused('INVALID_ROOM');
    await expect(server.joinRoom({ clientId: somebody, roomName: 'lobby' })).rejects.toThrow(invalid);
    await expect(rooms.addClientToRoom({ clientId: somebody, roomName: 'lobby' })).rejects.toThrow(invalid);
    await expect(sockets.joinRooms({ clientIds: [somebody], rooms: ['lobby'] })).rejects.toThrow(invalid);
    await expect(server.joinRoom({ clientId: admin, roomName: 'x'.repeat(9) })).rejects.toThrow(invalid);
    await expect(server.joinRoom({ clientId: 'gone', roomName: 'x'.repeat(9) })).rejects.toThrow(invalid);
  });

  it.each<[string, object, string]>([
    ['a path that no gateway has', { '/nowhere': {} }, 'names /nowhere, but the endpoints are'],
    ['what is no path', { admin: {} }, 'endpoints["admin"] is named by a path'],
    [
      'an option that there is not',
      { '/admin': { room: {} } },
      'no option endpoints["/admin"].room; did you mean rooms? There are protocol',
    ],
    ['a limit that endpoints share', { '/admin': { limits: { connections: 1 } } }, '.limits.connections; there are'],
    ['an auth that asks nobody', { '/admin': { auth: { required: false } } }, 'nobody would be asked who they are'],
    ['a bad value', { '/admin': { limits: { maxPayload: 0 } } }, 'limits.maxPayload is a whole number'],
  ])('fails the start for %s', async (_what, endpoints, sentence) => {
    await start({});
    const create = async (): Promise<void> => {
      const options = { endpoints } as PxlWebSocketModuleOptions;
      const other = await createApp({ providers: [Everywhere, Admin], options });
      await other.init().finally(() => other.close());
    };
    await expect(create()).rejects.toThrow(sentence);
  });
});
