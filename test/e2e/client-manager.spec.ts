import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConnectedSocket, WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  RoomManager,
  WebSocketService,
  WsClient,
  WsRoute,
  type PxlWebSocketModuleOptions,
} from 'nestjs-pxl-websocket';
import { WebSocket, WebSocketServer } from 'ws';
import { Diary } from '../support/diary.js';
import { refused } from '../support/refused.js';
import { startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const news = { type: 'news', action: 'flash' };

let app: TestApp;
let manager: ClientManager;

async function start(options: PxlWebSocketModuleOptions = {}, metadata: TestAppOptions = {}): Promise<void> {
  app = await startApp({ ...metadata, options: { auth: { authenticate: urlIdentity }, ...options } });
  manager = app.app.get(ClientManager);
}

/** The server's side of a client. */
function sideOf({ clientId }: TestClient): WsClient {
  return manager.getClient({ clientId, requireWs: true })!;
}

afterEach(() => app.close());

describe('looking up clients', () => {
  it('finds a client by its id, and its id by its socket, until it is gone', async () => {
    await start();
    const ada = await app.client();
    const client = sideOf(ada);
    expect(client).toBeInstanceOf(WsClient);
    expect(client).toMatchObject({ clientId: ada.clientId, user: null, roomName: null, path: '/ws' });
    expect(client.encrypted).toBe(false);
    expect(manager.getClientId({ ws: client.ws })).toBe(ada.clientId);
    await ada.close();
    await (await app.client()).request('system', 'ping');
    expect(manager.getClient(client)).toBeUndefined();
    expect(manager.getClientId({ ws: client.ws })).toBeUndefined();
  });

  it('finds nothing for ids and sockets that are none', async () => {
    await start();
    for (const clientId of ['', '*', '__proto__', 'constructor']) {
      expect(manager.getClient({ clientId })).toBeUndefined();
    }
    const ada = await app.client();
    expect(manager.getClientId({ ws: ada.socket })).toBeUndefined();
    // As the `ws` of another worker's client is.
    expect(manager.getClientId({ ws: null as never })).toBeUndefined();
  });

  it('gives with requireWs only a client whose socket is open', async () => {
    await start();
    const client = sideOf(await app.client());
    expect(manager.getClient({ clientId: client.clientId, requireWs: true })).toBe(client);
    client.close();
    expect(manager.getClient({ clientId: client.clientId, requireWs: true })).toBeUndefined();
    expect(manager.getClient({ clientId: client.clientId })).toBe(client);
  });

  it('lists clients in the order in which they connected, by user type, by user and by room', async () => {
    await start();
    const ada = await connectAs(app, { userId: '7', userType: 'admin' });
    const nobody = await app.client();
    const adaAgain = await connectAs(app, { userId: '7', userType: 'guest' });
    const sides = [ada, nobody, adaAgain].map(sideOf);
    expect(manager.getClients()).toEqual(sides);
    expect(manager.getClients({ userType: 'admin' })).toEqual([sides[0]]);
    expect(manager.getClients({ userType: 'nobody' })).toEqual([]);
    expect(manager.getClientsByUser({ userId: 7 })).toEqual([sides[0], sides[2]]);
    expect(manager.getClientsByUser({ userId: 'undefined' })).toEqual([]);
    expect(manager.getClientsByRoom({ room: 'chess' })).toEqual([]);
    await sides[1]!.join('chess');
    await sides[0]!.join('chess');
    expect(manager.getClientsByRoom({ room: 'chess' })).toEqual([sides[1], sides[0]]);
    await adaAgain.close();
    await nobody.request('system', 'ping');
    expect(manager.getClientsByUser({ userId: '7' })).toEqual([sides[0]]);
  });
});

describe('getClientByKey', () => {
  it('finds the first client whose field holds the value', async () => {
    await start();
    const ada = sideOf(await connectAs(app, { userId: '7', userType: 'admin', email: 'ada@example.org' }));
    const bob = sideOf(await connectAs(app, { userId: '8', userType: 'guest', email: 'bob@example.org' }));
    await bob.join('chess');
    bob.metadata.settings = { theme: 'dark' };
    expect(manager.getClientByKey({ key: 'user.payload.email', value: 'bob@example.org' })).toBe(bob);
    expect(manager.getClientByKey({ key: 'metadata.settings.theme', value: 'dark' })).toBe(bob);
    expect(manager.getClientByKey({ key: 'roomName', value: 'chess' })).toBe(bob);
    expect(manager.getClientByKey({ key: 'roomName', value: null })).toBe(ada);
    expect(manager.getClientByKey({ key: 'user.userType', value: 'guest' })).toBe(bob);
    expect(manager.getClientByKey({ key: 'user.payload.email', value: 'nobody@example.org' })).toBeUndefined();
  });

  it('finds by the indexed keys, a user id by number too', async () => {
    await start();
    await app.client();
    const ada = sideOf(await connectAs(app, { userId: '7' }));
    expect(manager.getClientByKey({ key: 'clientId', value: ada.clientId })).toBe(ada);
    expect(manager.getClientByKey({ key: 'user.userId', value: '7' })).toBe(ada);
    expect(manager.getClientByKey({ key: 'user.userId', value: 7 })).toBe(ada);
    expect(manager.getClientByKey({ key: 'user.userId', value: undefined })).toBeUndefined();
    expect(manager.getClientByKey({ key: 'clientId', value: 'nobody' })).toBeUndefined();
  });

  it('passes over clients of another type, and with requireWs those that are closing', async () => {
    await start();
    const [admin, guest] = [
      sideOf(await connectAs(app, { userId: '7', userType: 'admin' })),
      sideOf(await connectAs(app, { userId: '7', userType: 'guest' })),
    ];
    expect(manager.getClientByKey({ key: 'user.userId', value: '7', userType: 'guest' })).toBe(guest);
    admin.close();
    expect(manager.getClientByKey({ key: 'user.userId', value: '7', requireWs: true })).toBe(guest);
    expect(manager.getClientByKey({ key: 'user.userId', value: '7' })).toBe(admin);
  });

  it('reads own properties only, and refuses a key that begins with no field of a client', async () => {
    await start();
    await connectAs(app, { userId: '7' });
    for (const key of ['user.__proto__', 'user.payload.constructor', 'metadata.toString', 'user.userId.length']) {
      expect(manager.getClientByKey({ key, value: Object.prototype })).toBeUndefined();
      expect(manager.getClientByKey({ key, value: 1 })).toBeUndefined();
    }
    for (const key of ['', 'email', '__proto__.polluted', 'send', 'ws.readyState']) {
      expect(() => manager.getClientByKey({ key, value: 1 })).toThrow(refused());
    }
  });
});

describe('updateClient', () => {
  it('keeps a copy of the value under the key', async () => {
    await start();
    const ada = sideOf(await app.client());
    const { clientId } = ada;
    const data = { theme: 'dark', since: new Date(0) };
    manager.updateClient({ clientId, key: 'preferences', data });
    data.theme = 'light';
    manager.updateClient({ clientId, key: 'level', data: null });
    expect(ada.metadata).toEqual({
      preferences: { theme: 'dark', since: '1970-01-01T00:00:00.000Z' },
      level: null,
    });
    manager.updateClient({ clientId: 'nobody', key: 'level', data: 1 });
  });

  it.each(['__proto__', 'constructor', 'prototype', ''])('refuses the key %j', async (key) => {
    await start();
    const { clientId, metadata } = sideOf(await app.client());
    expect(() => manager.updateClient({ clientId, key, data: { polluted: true } })).toThrow(refused());
    expect(metadata).toEqual({});
    expect({}).not.toHaveProperty('polluted');
  });

  it('refuses what has no JSON form', async () => {
    await start();
    const { clientId, metadata } = sideOf(await app.client());
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const data of [undefined, () => 1, Symbol('s'), 1n, cycle, { size: 1n }]) {
      expect(() => manager.updateClient({ clientId, key: 'key', data })).toThrow(refused());
    }
    expect(metadata).toEqual({});
  });

  it('refuses what would make the metadata larger than limits.metadataBytes', async () => {
    await start({ limits: { metadataBytes: 32 } });
    const { clientId, metadata } = sideOf(await app.client());
    manager.updateClient({ clientId, key: 'a', data: 'x'.repeat(24) });
    expect(JSON.stringify(metadata)).toHaveLength(32);
    expect(() => manager.updateClient({ clientId, key: 'b', data: 1 })).toThrow(refused());
    expect(() => manager.updateClient({ clientId, key: 'a', data: 'ä'.repeat(13) })).toThrow(refused());
    expect(metadata).toEqual({ a: 'x'.repeat(24) });
    manager.updateClient({ clientId, key: 'a', data: 'ä'.repeat(12) });
  });
});

describe('disconnectClient', () => {
  it('closes the connection with 4506 after everything sent before', async () => {
    await start();
    const ada = await app.client();
    await app.app.get(WebSocketService).broadcast(news);
    manager.disconnectClient({ clientId: ada.clientId });
    expect(await ada.next()).toEqual(news);
    expect(await ada.closed).toEqual({ code: 4506, reason: 'disconnected by the server' });
    manager.disconnectClient({ clientId: ada.clientId });
  });

  it('takes code 1000 and 3000–4999 and cuts the reason to what a close frame holds', async () => {
    await start();
    for (const code of [1000, 3000, 4999]) {
      const ada = await app.client();
      manager.disconnectClient({ clientId: ada.clientId, code, reason: 'ä'.repeat(100) });
      expect(await ada.closed).toEqual({ code, reason: 'ä'.repeat(61) });
    }
  });

  it.each([1001, 1006, 2999, 5000, 0, NaN, 3000.5])('refuses the code %d, of unknown clients too', async (code) => {
    await start();
    const ada = await app.client();
    expect(() => manager.disconnectClient({ clientId: ada.clientId, code })).toThrow(refused());
    expect(() => manager.disconnectClient({ clientId: 'nobody', code })).toThrow(refused());
    await ada.request('system', 'ping');
  });
});

describe('removeClient and cleanup', () => {
  it('removeClient closes with 4506 and forgets the client at once, its rooms included', async () => {
    const diary = new Diary();
    const onDisconnected = ({ code }: { code: number }): void => diary.write(`disconnected ${code}`);
    await start({ events: { onDisconnected } });
    const ada = await connectAs(app, { userId: '7' });
    const client = sideOf(ada);
    await client.join('chess');
    manager.removeClient(ada.clientId);
    manager.removeClient(ada.clientId);
    expect([manager.size, manager.getClientsByUser({ userId: 7 }), app.app.get(RoomManager).rooms.size]).toEqual([
      0,
      [],
      0,
    ]);
    expect(await client.join('chess')).toBe(false);
    expect((await ada.closed).code).toBe(4506);
    await diary.until('disconnected');
    expect(diary.entries).toEqual(['disconnected 4506']);
  });

  it('cleanup closes everybody with 1001 and empties the registry', async () => {
    await start();
    const clients = [await app.client(), await connectAs(app, { userId: '7' })];
    for (const client of clients) await sideOf(client).join('chess');
    manager.cleanup();
    expect([manager.getClients(), manager.size, app.app.get(RoomManager).rooms.size]).toEqual([[], 0, 0]);
    for (const client of clients) expect((await client.closed).code).toBe(1001);
  });

  it('a shutdown does not wait for a removed client that never answers', async () => {
    await start({ shutdown: { timeout: 200 } });
    const ada = await app.client();
    ada.socket.pause();
    manager.removeClient(ada.clientId);
    const startedAt = Date.now();
    await app.app.close();
    // It would be waited for as long as a connection may be silent.
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  });
});

@WebSocketGateway()
class AdoptiveGateway {
  readonly hooks: string[] = [];

  @WsRoute('test', 'whoami')
  whoami(@ConnectedSocket() client: WsClient): unknown {
    return { clientId: client.clientId, userId: client.user?.userId };
  }

  handleConnection(client: WsClient, request: { url: string }): void {
    this.hooks.push(`connected ${client.clientId} ${request.url}`);
  }

  handleDisconnect(client: WsClient, reason: string): void {
    this.hooks.push(`disconnected ${client.clientId} ${reason}`);
  }
}

describe('addClient', () => {
  let foreign: WebSocketServer;

  async function connectToForeign(): Promise<{ ws: WebSocket; client: TestClient }> {
    const connected = once(foreign, 'connection') as Promise<[WebSocket]>;
    const { port } = foreign.address() as AddressInfo;
    const client = await TestClient.open(`ws://127.0.0.1:${port}`, { patience: 15_000 });
    return { ws: (await connected)[0], client };
  }

  async function startBoth(options: PxlWebSocketModuleOptions = {}): Promise<void> {
    await start({ rooms: { open: true }, ...options }, { providers: [AdoptiveGateway] });
    foreign = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(foreign, 'listening');
  }

  afterEach(() => {
    for (const ws of foreign.clients) ws.terminate();
    foreign.close();
  });

  it('takes a socket of another ws server on as a full client', async () => {
    await startBoth();
    const { ws, client } = await connectToForeign();
    const user = { userId: 7, userType: 'robot', payload: { email: 'r@example.org' } };
    manager.addClient({ clientId: 'robot-1', ws, lastActivity: 5, user });
    expect(manager.getClient({ clientId: 'robot-1' })).toMatchObject({ ws, lastActivity: 5, user: { userId: '7' } });
    expect(manager.getClient({ clientId: 'robot-1', requireWs: true })?.ip).toBe('127.0.0.1');
    expect(manager.getClientId({ ws })).toBe('robot-1');
    const limits = { maxPayload: 65_536, messagesPerSecond: null, burst: null, rooms: 128 };
    const welcome = { clientId: 'robot-1', userId: '7', limits };
    expect(await client.next()).toMatchObject({ action: 'connected', data: welcome });
    await client.next('auth', 'authenticated');

    expect(await client.request('test', 'whoami')).toEqual({ clientId: 'robot-1', userId: '7' });
    expect(await client.request('system', 'joinRoom', { roomName: 'chess' })).toMatchObject({ success: true });
    const service = app.app.get(WebSocketService);
    for (const sent of [service.sendToRooms(['chess'], news), service.sendToUsers([7], news)]) {
      await sent;
      expect(await client.next()).toEqual(news);
    }
    client.send('no JSON');
    expect(await client.next()).toMatchObject({ type: 'error', data: { code: 'BAD_MESSAGE' } });
  });

  it('runs its hooks, and forgets it when it closes', async () => {
    await startBoth();
    const { hooks } = app.app.get(AdoptiveGateway);
    const { ws, client } = await connectToForeign();
    manager.addClient({ clientId: 'robot-1', ws });
    await client.request('system', 'joinRoom', { roomName: 'chess' });
    expect(hooks).toEqual(['connected robot-1 /ws']);
    client.socket.close(1000, 'bye');
    await once(ws, 'close');
    expect([manager.size, app.app.get(RoomManager).rooms.size]).toEqual([0, 0]);
    await (await app.client()).request('system', 'ping');
    expect(hooks).toContain('disconnected robot-1 bye');
  });

  it('closes it like any other client: disconnectClient, and 1001 at shutdown', async () => {
    await startBoth();
    const [first, second] = [await connectToForeign(), await connectToForeign()];
    manager.addClient({ clientId: 'first', ws: first.ws });
    manager.addClient({ clientId: 'second', ws: second.ws });
    manager.disconnectClient({ clientId: 'first', code: 4321, reason: 'enough' });
    expect(await first.client.closed).toEqual({ code: 4321, reason: 'enough' });
    await app.app.close();
    expect((await second.client.closed).code).toBe(1001);
  });

  it('leaves alone an id or a socket that is a client already, and a socket that is not open', async () => {
    await startBoth();
    const ada = await app.client();
    const { ws, client } = await connectToForeign();
    manager.addClient({ clientId: ada.clientId, ws });
    manager.addClient({ clientId: 'second-name', ws: sideOf(ada).ws });
    expect(manager.getClients().map(({ clientId }) => clientId)).toEqual([ada.clientId]);
    await client.close();
    manager.addClient({ clientId: 'gone', ws });
    expect(manager.size).toBe(1);
    await ada.request('system', 'ping');
  });

  it('refuses an id that is no text, and a user without an id', async () => {
    await startBoth();
    const { ws } = await connectToForeign();
    expect(() => manager.addClient({ clientId: '', ws })).toThrow(refused());
    expect(() => manager.addClient({ clientId: 'robot', ws, user: { userId: '' } })).toThrow(refused());
    expect(() => manager.addClient({ clientId: 'robot', ws, user: { userId: NaN } })).toThrow(refused());
    expect(manager.size).toBe(0);
  });

  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    [{}, 'an object'],
    ['ws', 'a text'],
  ])('refuses %p in place of a socket, and says why nobody needs it', async (ws, kind) => {
    await startBoth();
    // As PXL's own call for a client of another worker.
    const add = (): void => manager.addClient({ clientId: 'remote-1', ws: ws as never, lastActivity: Date.now() });
    expect(add).toThrow(refused());
    expect(add).toThrow(
      `addClient takes an open socket of ws, not ${kind}: clients of other workers are known here without it, by the ` +
        'registry that the workers share.',
    );
    expect(manager.size).toBe(0);
  });
});
