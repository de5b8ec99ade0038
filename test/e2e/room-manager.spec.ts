import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientManager, RoomManager, WsError, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { PXL_WS_BROADCASTER } from '../../lib/cluster/bus/broadcaster.interface.js';
import { Logbook } from '../support/logbook.js';
import { SlowBroadcaster } from '../support/slow-broadcaster.js';
import { refused } from '../support/refused.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { urlIdentity } from '../support/url-identity.js';

let app: TestApp;
let manager: RoomManager;
let logbook: Logbook;
let clients: TestClient[];
let ada: string;
let bob: string;

async function start(options: PxlWebSocketModuleOptions = {}, bus?: SlowBroadcaster): Promise<void> {
  logbook = new Logbook();
  app = await startApp({
    options: { auth: { authenticate: urlIdentity }, ...options },
    logger: logbook,
    override: (builder) => (bus ? builder.overrideProvider(PXL_WS_BROADCASTER).useValue(bus) : builder),
  });
  manager = app.app.get(RoomManager);
  clients = [await app.client(), await app.client()];
  [ada = '', bob = ''] = clients.map(({ clientId }) => clientId);
}

afterEach(() => app.close());

describe('addClientToRoom', () => {
  it('resolves with true once the client is a member, and again when it is one already', async () => {
    await start();
    expect(await manager.addClientToRoom({ clientId: ada, roomName: 'chess' })).toBe(true);
    expect(await manager.addClientToRoom({ clientId: ada, roomName: 'chess' })).toBe(true);
    expect(manager.isClientInRoom({ clientId: ada, roomName: 'chess' })).toBe(true);
    expect(manager.isClientInRoom({ clientId: bob, roomName: 'chess' })).toBe(false);
    expect(manager.getRoomClients({ roomName: 'chess' })).toEqual([ada]);
    expect(manager.rooms.get('chess')?.has(ada)).toBe(true);
  });

  it('resolves with false for an unknown client and when the bus is down', async () => {
    const bus = new SlowBroadcaster();
    await start({}, bus);
    expect(await manager.addClientToRoom({ clientId: 'nobody', roomName: 'chess' })).toBe(false);
    for (const code of ['UNAVAILABLE', 'TIMEOUT']) {
      const joined = manager.addClientToRoom({ clientId: ada, roomName: 'chess' });
      await bus.diary.until('acquire chess');
      bus.settle('chess', new WsError(code, 'The bus is down.'));
      expect(await joined).toBe(false);
    }
    expect(manager.rooms.size).toBe(0);
  });

  it('gives all of several joins at once the same answer', async () => {
    const bus = new SlowBroadcaster();
    await start({}, bus);
    const joins = [1, 2, 3].map(() => manager.addClientToRoom({ clientId: ada, roomName: 'chess' }));
    bus.settle('chess');
    expect(await Promise.all(joins)).toEqual([true, true, true]);
    expect(bus.diary.entries).toEqual(['acquire chess']);
  });

  it('rejects for arguments that are wrong whoever the client is', async () => {
    await start({ limits: { roomsPerClient: 1, roomName: 5 } });
    for (const clientId of [ada, 'nobody']) {
      await expect(manager.addClientToRoom({ clientId, roomName: '' })).rejects.toThrow(refused('INVALID_ROOM'));
      await expect(manager.addClientToRoom({ clientId, roomName: 'sixsix' })).rejects.toThrow(refused('INVALID_ROOM'));
    }
    await manager.addClientToRoom({ clientId: ada, roomName: 'a' });
    await expect(manager.addClientToRoom({ clientId: ada, roomName: 'b' })).rejects.toThrow(refused('ROOM_LIMIT'));
  });

  it('gives an anonymous client the identity of `user`, and rejects one that contradicts it', async () => {
    await start();
    const user = { userId: 7, userType: 'member', payload: { email: 'a@example.org' }, username: 'Ada' };
    await manager.addClientToRoom({ clientId: ada, roomName: 'chess', user });
    const registry = app.app.get(ClientManager);
    expect(registry.getClient({ clientId: ada })?.user).toEqual({
      userId: '7',
      userType: 'member',
      payload: { email: 'a@example.org' },
    });
    expect(registry.getClientsByUser({ userId: '7' })).toHaveLength(1);
    const go = { clientId: ada, roomName: 'go' };
    await expect(manager.addClientToRoom({ ...go, user: { userId: 8 } })).rejects.toThrow(refused('CONFLICT'));
    await expect(manager.addClientToRoom({ ...go, user: { userType: 'admin' } })).rejects.toThrow(refused('CONFLICT'));
    expect(manager.isClientInRoom(go)).toBe(false);
    expect(await manager.addClientToRoom({ ...go, user: { userId: '7', username: 'Countess' } })).toBe(true);
  });
});

describe('taking clients out', () => {
  beforeEach(async () => {
    await start();
    for (const clientId of [ada, bob]) {
      for (const roomName of ['chess', 'go']) await manager.addClientToRoom({ clientId, roomName });
    }
  });

  it('removeClientFromRoom takes one client out of one room', () => {
    manager.removeClientFromRoom({ clientId: ada, roomName: 'chess' });
    manager.removeClientFromRoom({ clientId: ada, roomName: 'nowhere' });
    manager.removeClientFromRoom({ clientId: 'nobody', roomName: 'chess' });
    expect(manager.getRoomClients({ roomName: 'chess' })).toEqual([bob]);
    expect(manager.getRoomClients({ roomName: 'go' })).toEqual([ada, bob]);
  });

  it("the client's roomName is the room that it joined last and has not left", () => {
    const client = app.app.get(ClientManager).getClient({ clientId: ada })!;
    expect(client.roomName).toBe('go');
    manager.removeClientFromRoom({ clientId: ada, roomName: 'go' });
    expect(client.roomName).toBe('chess');
    manager.removeClientFromRoom({ clientId: ada, roomName: 'chess' });
    expect([client.roomName, client.rooms.size]).toEqual([null, 0]);
  });

  it('removeClientFromAllRooms takes one client out of all rooms', () => {
    manager.removeClientFromAllRooms({ clientId: ada });
    expect([...manager.rooms].map(([name, ids]) => [name, [...ids]])).toEqual([
      ['chess', [bob]],
      ['go', [bob]],
    ]);
  });

  it('cleanup takes everybody out of every room and leaves the connections open', async () => {
    manager.cleanup();
    expect(manager.rooms.size).toBe(0);
    expect(app.app.get(ClientManager).size).toBe(2);
    expect(await manager.addClientToRoom({ clientId: ada, roomName: 'chess' })).toBe(true);
  });
});

it("joinRoom of events.onConnected gives an identity and a label, as the server's own verb does", async () => {
  const joins: boolean[] = [];
  await start({
    events: {
      onConnected: async ({ clientId, joinRoom }) => {
        joins.push(await joinRoom({ roomName: 'lobby', userId: clientId, userType: 'member', username: 'Ada' }));
      },
    },
  });
  // Its turn comes after the hooks.
  for (const client of clients) await client.request('system', 'leaveRoom', { roomName: 'nowhere' });
  const client = app.app.get(ClientManager).getClient({ clientId: ada });
  expect(client?.user).toEqual({ userId: ada, userType: 'member', payload: {} });
  expect(manager.isClientInRoom({ clientId: ada, roomName: 'lobby' })).toBe(true);
  expect(joins).toEqual([true, true]);
});

it('cleanup undoes joins that are not live yet', async () => {
  const bus = new SlowBroadcaster();
  await start({}, bus);
  const joined = manager.addClientToRoom({ clientId: ada, roomName: 'chess' });
  manager.cleanup();
  bus.settle('chess');
  expect(await joined).toBe(false);
  expect(bus.diary.entries).toEqual(['acquire chess', 'release chess']);
});

it('printRooms logs every room with its members, and no name can forge a line', async () => {
  await start();
  await manager.addClientToRoom({ clientId: ada, roomName: 'chess' });
  await manager.addClientToRoom({ clientId: bob, roomName: 'go\n  "chess" (0): ' });
  const before = logbook.lines.length;
  manager.printRooms();
  expect(logbook.lines.slice(before)).toEqual([
    `log Rooms: 2\n  "chess" (1): ${ada}\n  "go\\n  \\"chess\\" (0): " (1): ${bob}`,
  ]);
});
