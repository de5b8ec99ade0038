import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ForbiddenException } from '@nestjs/common';
import { PxlWebSocketServer, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { WebSocket } from 'ws';
import { WebSocketClient, WebSocketClientError, type StateChange } from '../../lib/client/index.js';
import { ChildProgram } from '../support/child-program.js';
import { entered } from '../support/client-states.js';
import { freePort } from '../support/free-port.js';
import { Gate } from '../support/gate.js';
import { ManualClientRuntime } from '../support/manual-client-runtime.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { startsOneApp } from '../support/test-app.js';
import { testsClients } from '../support/test-clients.js';
import { UnclosedWebSocket } from '../support/unclosed-web-socket.js';
import { until } from '../support/until.js';

const start = startsOneApp();
const newClient = testsClients();
let server: ScriptedServer | undefined;
let http: Server | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
  http?.close();
  http = undefined;
});

/** What `connect()` rejects with. */
async function refusalOf(promise: Promise<unknown>): Promise<WebSocketClientError> {
  const error: unknown = await promise.then(
    () => 'it connected',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WebSocketClientError);
  return error as WebSocketClientError;
}

describe('connect()', () => {
  it('resolves once the welcome has come', async () => {
    const gate = new Gate();
    server = await ScriptedServer.start((connection) => void gate.passed.then(() => connection.welcome()));
    const { client, states } = newClient(server.url);
    let isThere = false;
    const connecting = client.connect().then((welcome) => {
      isThere = true;
      return welcome;
    });
    await server.next();
    expect([isThere, client.state, client.clientId]).toEqual([false, 'connecting', null]);
    gate.open();
    const welcome = await connecting;
    expect([client.state, client.clientId]).toEqual(['connected', 'c']);
    expect(states).toEqual(['connecting', 'connected']);
    expect(await client.connect()).toBe(welcome);
    expect(await client.connectToServer()).toBe(welcome);
    expect(server.connections).toHaveLength(1);
  });

  it.each<'pxl' | 'event'>(['pxl', 'event'])('resolves with what the welcome of %s tells', async (protocol) => {
    const app = await start({
      options: {
        auth: { authenticate: () => ({ userId: 'ada' }) },
        heartbeat: { interval: 900, timeout: 800 },
        limits: { maxPayload: 2_000, messagesPerSecond: 5, burst: 7, roomsPerClient: 3 },
      },
    });
    const { client } = newClient(app.url(), { protocol });
    const welcome = await client.connect();
    expect(welcome).toEqual({
      clientId: client.clientId,
      userId: 'ada',
      heartbeat: { interval: 900, timeout: 800 },
      limits: { maxPayload: 2_000, messagesPerSecond: 5, burst: 7, rooms: 3 },
      rooms: {},
    });
    client.disconnect();
    const again = await client.connectToServer();
    expect(again.clientId).not.toBe(welcome.clientId);
  });

  it.each<[Record<string, unknown>, object]>([
    [{ heartbeat: null }, { heartbeat: null }],
    [{ heartbeat: 7, limits: 'none', rooms: null, userId: 1 }, {}],
    [{ clientId: 5, heartbeat: undefined }, { clientId: '' }],
  ])('resolves with what a welcome with %j tells', async (told, read) => {
    server = await ScriptedServer.start((connection) => connection.welcome(told));
    const { client } = newClient(server.url);
    expect(await client.connect()).toEqual({ clientId: 'c', rooms: {}, ...read });
  });

  it('resolves with nothing in particular where another server tells nothing', async () => {
    server = await ScriptedServer.start(() => undefined);
    const { client } = newClient(server.url, { server: 'other' });
    expect(await client.connect()).toEqual({ clientId: '', rooms: {} });
  });

  it('resolves with the newest welcome while the client is connected again', async () => {
    server = await ScriptedServer.start((connection) =>
      connection.welcome({ clientId: `c${server!.connections.length}` }),
    );
    const { client } = newClient(server.url);
    await client.connect();
    (await server.next()).socket.terminate();
    await entered(client, 'reconnecting');
    await entered(client, 'connected');
    expect(await client.connect()).toMatchObject({ clientId: 'c2' });
    expect(server.connections).toHaveLength(2);
  });

  it('opens one connection for several calls', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    await Promise.all([client.connect(), client.connect(), client.connectToServer()]);
    expect(server.connections).toHaveLength(1);
  });

  it('waits for a server that is not there yet', async () => {
    const port = await freePort();
    const { client, states } = newClient(`ws://127.0.0.1:${port}`);
    const connecting = client.connect();
    await until(() => states.includes('reconnecting:1006'));
    server = await ScriptedServer.start(undefined, port);
    await connecting;
    expect(client.isClientConnected()).toBe(true);
  });

  it('rejects when it is not to come back', async () => {
    const { client, states, changes } = newClient(`ws://127.0.0.1:${await freePort()}`, { reconnect: false });
    const error = await refusalOf(client.connect());
    expect(error).toMatchObject({ code: 'UNAVAILABLE', closeCode: 1006, retryable: true });
    expect((error.cause as { code: string }).code).toBe('ECONNREFUSED');
    expect(error.message).toContain('ECONNREFUSED');
    expect(states).toEqual(['connecting', 'disconnected:1006']);
    expect(changes.every(({ reason }) => reason.length > 10)).toBe(true);
  });

  it('rejects once the attempts are used up', async () => {
    const failed: unknown[] = [];
    const { client, changes } = newClient(`ws://127.0.0.1:${await freePort()}`, {
      reconnect: { minDelay: 1, maxDelay: 2, attempts: 3 },
      events: { onReconnectFailed: ({ error }) => failed.push(error) },
    });
    const error = await refusalOf(client.connect());
    expect(changes.map((change) => [change.state, 'attempt' in change ? change.attempt : null])).toEqual([
      ['connecting', null],
      ['reconnecting', 1],
      ['reconnecting', 2],
      ['reconnecting', 3],
      ['disconnected', null],
    ]);
    expect(failed).toEqual([error]);
  });

  it('rejects when the server does not let in in time, and cuts the connection', async () => {
    server = await ScriptedServer.start(() => undefined);
    const clock = new ManualClientRuntime();
    const { client } = newClient(server.url, { connectTimeout: 50, reconnect: false }, clock);
    const refusal = refusalOf(client.connect());
    const connection = await server.next();
    await clock.advance(50);
    expect(await refusal).toMatchObject({ code: 'TIMEOUT', closeCode: 1006 });
    expect(await connection.closed).toBe(1006);
  });

  describe('fails at once, again and again, and connects when the server is there', () => {
    let port: number;
    let url: string;

    beforeEach(async () => {
      port = await freePort();
      url = `ws://127.0.0.1:${port}/ws`;
    });

    it('by a socket that tells of no close when it cannot connect', async () => {
      const webSocket = UnclosedWebSocket;
      const changes: StateChange[] = [];
      const client = new WebSocketClient({ url, webSocket, connectTimeout: 60_000, reconnect: { minDelay: 5 } });
      expect(client.lastChange).toBeNull();
      client.onState((change) => changes.push(change));
      const connecting = client.connect();
      await until(() => changes.length === 4);
      expect(client.lastChange).toBe(changes[3]);
      expect(changes.slice(1)).toEqual(Array(3).fill(expect.objectContaining({ state: 'reconnecting', code: 1006 })));
      server = await ScriptedServer.start(undefined, port);
      await client.connect();
      await connecting;
      client.destroy();
    });

    it("by Node's own socket", async () => {
      const program = new ChildProgram('own-web-socket', url);
      expect(await program.next()).toMatchObject({ state: 'connecting' });
      for (let attempt = 0; attempt < 3; attempt++) {
        expect(await program.next()).toMatchObject({ state: 'reconnecting', code: 1006 });
      }
      server = await ScriptedServer.start(undefined, port);
      let { state } = await program.next<StateChange>();
      while (state !== 'connected') ({ state } = await program.next<StateChange>());
      expect(await program.exited).toMatchObject({ code: 0 });
    });
  });

  it('may be left alone when it fails', async () => {
    const { client, states } = newClient(`ws://127.0.0.1:${await freePort()}`, { reconnect: false });
    void client.connect();
    await until(() => states.includes('disconnected:1006'));
  });

  it('needs the scheme of neither world', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url.replace('ws:', 'http:') + '#fragment');
    await client.connect();
    expect((await server.next()).request.url).toBe('/ws');
  });

  it('rejects for good when there can be no such connection', async () => {
    const { client, states } = newClient('ws://127.0.0.1:1/ws', { getToken: () => 'no token at all' });
    const error = await refusalOf(client.connect());
    expect(error).toMatchObject({ code: 'BAD_OPTION', retryable: false });
    expect(error.message).toContain('There is no socket: SyntaxError');
    expect(states).toEqual(['connecting', 'disconnected:1006']);
  });
});

describe('a server that refuses the upgrade', () => {
  it.each<[number, PxlWebSocketModuleOptions, Record<string, unknown>]>([
    [4003, { auth: { authenticate: () => null } }, { code: 'UNAUTHENTICATED' }],
    [
      3003,
      {
        connectionGuards: [
          {
            canActivate: () => {
              throw new ForbiddenException();
            },
          },
        ],
      },
      { code: 'FORBIDDEN' },
    ],
  ])('tells it by %d, and stops the client, which says why', async (closeCode, options, error) => {
    const app = await start({ options });
    const { client, states } = newClient(app.url());
    const refusal = await refusalOf(client.connect());
    expect(refusal).toMatchObject({ ...error, closeCode, retryable: false });
    expect(refusal.message).toMatch(/^[A-Z][^{]+$/);
    expect(states).toEqual(['connecting', `disconnected:${closeCode}`]);
  });

  it('with 404 stops the client', async () => {
    const app = await start({ options: {} });
    const { client } = newClient(app.url('/nowhere'));
    expect(await refusalOf(client.connect())).toMatchObject({ details: { status: 404 }, retryable: false });
  });

  it('with 429 is asked again after the time that it says', async () => {
    const app = await start({ options: { limits: { connections: 1 } } });
    const first = newClient(app.url());
    await first.client.connect();
    const { client, changes } = newClient(app.url());
    void client.connect();
    await until(() => changes.length === 2);
    expect(changes[1]).toMatchObject({ state: 'reconnecting', code: 4009 });
    first.client.disconnect();
    await until('the place is free', () => app.app.get(PxlWebSocketServer).getClients({}).length === 0);
    await client.connect();
  });

  it.each([
    [401, { code: 'UNAUTHENTICATED', closeCode: 4003 }],
    [403, { code: 'FORBIDDEN', closeCode: 3003 }],
  ])('by HTTP with %d, as an older one, stops the client', async (status, error) => {
    http = createServer().listen(0, '127.0.0.1');
    http.on('upgrade', (_request, socket) => socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\n\r\n`));
    await once(http, 'listening');
    const { client } = newClient(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
    expect(await refusalOf(client.connect())).toMatchObject({ ...error, details: { status }, retryable: false });
  });

  it.each([
    [429, '2', 2_000],
    [503, '3', 3_000],
    [503, undefined, 0],
    [502, undefined, 0],
  ])('with %d and Retry-After %s waits at least that long', async (status, retryAfter, least) => {
    http = createServer().listen(0, '127.0.0.1');
    http.on('upgrade', (_request, socket) => {
      const header = retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`;
      socket.end(`HTTP/1.1 ${status} No\r\n${header}Connection: close\r\nContent-Length: 0\r\n\r\n`);
    });
    await once(http, 'listening');
    const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const { client, changes, sockets } = newClient(url, {}, new ManualClientRuntime());
    void client.connect();
    await until(() => changes.length === 2);
    const change = changes[1]!;
    expect(change.state).toBe('reconnecting');
    if (change.state === 'reconnecting') {
      expect(change.delay).toBeGreaterThanOrEqual(least);
      expect(change.delay).toBeLessThanOrEqual(least + 50);
    }
    expect(sockets.open).toHaveLength(0);
  });

  it('with 503 while its authentication takes too long is asked again', async () => {
    let isSlow = true;
    const authenticate = () => (isSlow ? new Promise<null>(() => undefined) : { userId: 'ada' });
    const app = await start({ options: { auth: { authenticate }, limits: { upgradeTimeout: 50 } } });
    const { client, changes } = newClient(app.url());
    const connecting = client.connect();
    await until(() => changes.some(({ state }) => state === 'reconnecting'));
    isSlow = false;
    await client.connect();
    await connecting;
  });
});

describe('disconnect()', () => {
  it('closes with 1000, and nothing is left', async () => {
    server = await ScriptedServer.start();
    const { client, states } = newClient(server.url);
    await client.connect();
    client.disconnect();
    expect([client.state, client.clientId, client.isClientConnected()]).toEqual(['disconnected', null, false]);
    client.disconnect();
    expect(await (await server.next()).closed).toBe(1000);
    expect(states).toEqual(['connecting', 'connected', 'disconnected:1000']);
  });

  it('ends an attempt in each of its stages, whose connect() rejects', async () => {
    const token = new Gate<string>();
    server = await ScriptedServer.start(() => undefined);
    const stages = [
      { options: { getToken: () => token.passed }, reached: () => Promise.resolve() },
      { options: {}, reached: () => Promise.resolve() },
      { options: {}, reached: () => server!.next() },
    ];
    for (const { options, reached } of stages) {
      const { client, states } = newClient(server.url, options);
      const refused = refusalOf(client.connect());
      await reached();
      client.disconnect();
      expect(await refused).toMatchObject({ code: 'UNAVAILABLE', closeCode: 1000, retryable: false });
      expect(states).toEqual(['connecting', 'disconnected:1000']);
    }
    token.open('late');
  });

  it('ends the wait for the next attempt', async () => {
    const { client, states } = newClient(`ws://127.0.0.1:${await freePort()}`, {
      reconnect: { minDelay: 60_000, maxDelay: 60_000 },
    });
    const refused = refusalOf(client.connect());
    await until(() => states.includes('reconnecting:1006'));
    client.disconnect();
    await refused;
    expect(states.at(-1)).toBe('disconnected:1000');
  });

  it('cuts a connection to a server that does not answer the close, within a second or so', async () => {
    server = await ScriptedServer.start();
    const { client, sockets } = newClient(server.url);
    await client.connect();
    const connection = await server.next();
    connection.socket.pause();
    client.disconnect();
    await until('the socket is cut', () => sockets.open.length === 0);
  });

  it('may be called in any handler, and connect() again behind it', async () => {
    server = await ScriptedServer.start((connection) => {
      connection.welcome();
      connection.send({ type: 'a', action: 'b', data: 1 });
    });
    const seen: string[] = [];
    let rounds = 0;
    const { client, states } = newClient(server.url, {
      events: {
        onConnected: () => seen.push('onConnected'),
        onDisconnected: () => {
          seen.push('onDisconnected');
          if (rounds < 50) void client.connect();
        },
      },
    });
    client.on('a', 'b', () => {
      rounds += 1;
      client.disconnect();
    });
    client.on('a', 'b', () => seen.push('the other handler'));
    await client.connect();
    await until(() => rounds === 50 && client.state === 'disconnected');
    expect(seen).toEqual(
      Array.from({ length: 50 }, () => ['onConnected', 'onDisconnected', 'the other handler']).flat(),
    );
    expect(states).toEqual(Array.from({ length: 50 }, () => ['connecting', 'connected', 'disconnected:1000']).flat());
  });

  it('fifty times in a row, wherever the client happens to be, leaves nothing behind', async () => {
    server = await ScriptedServer.start();
    const { client, states, sockets } = newClient(server.url, { getToken: () => Promise.resolve('t') });
    for (let round = 0; round < 50; round++) {
      const connecting = client.connect();
      // A round ends after no, one, two, ... turns of the event loop: in another stage of the connection each time.
      for (let turns = 0; turns < round; turns++) await new Promise((resolve) => setImmediate(resolve));
      client.disconnect();
      await connecting.catch(() => undefined);
    }
    expect(client.state).toBe('disconnected');
    expect(states.filter((state) => state === 'connecting')).toHaveLength(50);
    expect(states.filter((state) => state === 'disconnected:1000')).toHaveLength(50);
    await until('all sockets are closed', () => sockets.open.length === 0);
    await client.connect();
    expect(sockets.open).toHaveLength(1);
  });

  it('inside a listener of the state is seen by all listeners in order', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    const order: string[] = [];
    client.onState(({ state }) => {
      order.push(`first ${state}`);
      if (state === 'connecting') client.disconnect();
    });
    client.onState(({ state }) => order.push(`second ${state}`));
    await refusalOf(client.connect());
    expect(order).toEqual(['first connecting', 'second connecting', 'first disconnected', 'second disconnected']);
    expect(server.connections).toHaveLength(0);
  });
});

describe('destroy()', () => {
  it('ends the client for good', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    await client.connect();
    client.destroy();
    expect(client.state).toBe('disconnected');
    expect(await refusalOf(client.connect())).toMatchObject({ code: 'BAD_OPTION' });
  });
});

describe('the words of PXL', () => {
  it('tell how the client is', async () => {
    server = await ScriptedServer.start();
    const { client, states } = newClient(server.url, { reconnect: { minDelay: 60_000, maxDelay: 60_000 } });
    expect(client.type).toBe('client');
    await client.connect();
    expect(client.getConnectionStatus()).toEqual({
      isConnected: true,
      reconnectAttempts: 0,
      autoReconnectEnabled: true,
    });
    (await server.next()).socket.terminate();
    await until(() => states.includes('reconnecting:1006'));
    expect(client.getConnectionStatus()).toEqual({
      isConnected: false,
      reconnectAttempts: 1,
      autoReconnectEnabled: true,
    });
    client.disableAutoReconnect();
    expect(client.getConnectionStatus()).toMatchObject({ autoReconnectEnabled: false });
    expect(client.state).toBe('disconnected');

    await client.connect();
    expect(client.getConnectionStatus()).toMatchObject({ isConnected: true, reconnectAttempts: 0 });
    (await server.next()).socket.terminate();
    await until(() => client.state === 'disconnected');
    client.enableAutoReconnect();
    await client.connect();
    (await server.next()).socket.terminate();
    await entered(client, 'reconnecting');
  });

  it('call the events', async () => {
    const told: unknown[] = [];
    server = await ScriptedServer.start((connection) => {
      connection.welcome({ clientId: `c${server!.connections.length}` });
      connection.send({ type: 'a', action: 'b', data: 1 });
    });
    const { client } = newClient(server.url, {
      events: {
        onConnected: ({ clientId, joinRoom }) => told.push(['onConnected', clientId, typeof joinRoom]),
        onDisconnected: (event) => told.push(['onDisconnected', event]),
        onMessage: ({ data }) => told.push(['onMessage', data]),
        onReconnecting: ({ attempt, delay }) => told.push(['onReconnecting', attempt, delay <= 5]),
        onReconnected: (event) => told.push(['onReconnected', event]),
      },
    });
    const message = ['onMessage', { type: 'a', action: 'b', data: 1 }];
    await client.connect();
    await until(() => told.length === 2);
    (await server.next()).socket.close(1001, 'Bye.');
    await until(() => told.length === 7);
    expect(told).toEqual([
      ['onConnected', 'c1', 'function'],
      message,
      ['onDisconnected', { clientId: 'c1', code: 1001, reason: 'Bye.' }],
      ['onReconnecting', 1, true],
      ['onConnected', 'c2', 'function'],
      ['onReconnected', { clientId: 'c2' }],
      message,
    ]);
  });
});

describe('a client without any option but the url', () => {
  it('says what is missing where there is no global WebSocket', () => {
    expect(() => new WebSocketClient({ url: 'ws://localhost' })).toThrow(
      'There is no WebSocket: the option webSocket has to be one.',
    );
    expect(new WebSocketClient({ url: 'ws://localhost', webSocket: WebSocket }).state).toBe('disconnected');
  });
});
