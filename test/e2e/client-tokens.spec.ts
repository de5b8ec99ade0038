import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientManager, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { WebSocketClientError, type WebSocketClientOptions } from '../../lib/client/index.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { entered } from '../support/client-states.js';
import { Gate } from '../support/gate.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { startsOneApp } from '../support/test-app.js';
import { testsClients } from '../support/test-clients.js';
import { claimsOf, hs256, SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';

const start = startsOneApp();
const newClient = testsClients();
let server: ScriptedServer | undefined;
let issued = 0;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A token of Ada's, each one another. */
function newToken(): string {
  return hs256(claimsOf('ada', { jti: `t${++issued}` }));
}

function userOf(app: { app: { get(type: typeof ClientManager): ClientManager } }, clientId: string | null): unknown {
  return app.app.get(ClientManager).getClient({ clientId: clientId! })?.user?.userId;
}

describe('a token', () => {
  it.each<[WebSocketClientOptions['tokenTo'], PxlWebSocketModuleOptions['auth']]>([
    [undefined, { jwt: { secret: SECRET }, tokenFrom: ['protocol'] }],
    ['protocol', { jwt: { secret: SECRET }, tokenFrom: ['protocol'] }],
    ['query', { jwt: { secret: SECRET }, tokenFrom: ['query'] }],
    ['message', { jwt: { secret: SECRET }, mode: 'message' }],
    ['message', { jwt: { secret: SECRET }, mode: 'either', required: false }],
  ])('by %s reaches a server that looks for it there', async (tokenTo, auth) => {
    const app = await start({ options: { auth } });
    const { client, states } = newClient(app.url(), { getToken: () => Promise.resolve(newToken()), tokenTo });
    await client.connect();
    expect(userOf(app, client.clientId)).toBe('ada');
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('by message that is refused stops the client with the reason', async () => {
    const app = await start({ options: { auth: { jwt: { secret: SECRET }, mode: 'message' } } });
    const { client } = newClient(app.url(), { getToken: () => 'forged', tokenTo: 'message' });
    await expect(client.connect()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
  });

  it('by message where there is nothing to authenticate does no harm', async () => {
    const app = await start({ options: {} });
    const { client, states } = newClient(app.url(), { getToken: () => 'needless', tokenTo: 'message' });
    await client.connect();
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('is not needed: null connects as nobody', async () => {
    const app = await start({ options: { auth: { jwt: { secret: SECRET }, required: false } } });
    const { client } = newClient(app.url(), { getToken: () => null });
    await client.connect();
    expect(userOf(app, client.clientId)).toBeUndefined();
  });

  it('is asked for once, and used again on later connections', async () => {
    server = await ScriptedServer.start();
    let asked = 0;
    const { client } = newClient(server.url, { getToken: () => `token${++asked}` });
    await client.connect();
    for (let round = 0; round < 3; round++) {
      const connection = await server.next();
      expect(connection.request.headers['sec-websocket-protocol']).toBe('pxl.v1,bearer.token1');
      connection.socket.terminate();
      await entered(client, 'reconnecting');
      await client.connect();
    }
    expect(asked).toBe(1);
  });

  it('is asked for anew after an attempt that led to no welcome: a page does not see why', async () => {
    server = await ScriptedServer.start((connection) => {
      if (server!.connections.length < 3) connection.socket.terminate();
      else connection.welcome();
    });
    let asked = 0;
    const { client } = newClient(server.url, { getToken: () => `token${++asked}` });
    await client.connect();
    expect(asked).toBe(3);
  });

  it.each([4003, 3000])('that is refused with %d is replaced by another one, and never sent twice', async (code) => {
    server = await ScriptedServer.start((connection) => {
      if (connection.request.headers['sec-websocket-protocol']!.endsWith('good')) connection.welcome();
      else connection.socket.close(code, 'authentication failed');
    });
    const tokens = ['bad', 'good'];
    const { client, states } = newClient(server.url, { getToken: () => tokens.shift() });
    await client.connect();
    expect(states).toEqual(['connecting', `reconnecting:${code}`, 'connected']);

    const stubborn = newClient(server.url, { getToken: () => 'always-bad' });
    await expect(stubborn.client.connect()).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'The token was refused already.',
      retryable: false,
    });
    expect(server.connections).toHaveLength(3);
    await expect(stubborn.client.connect()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(server.connections).toHaveLength(4);
  });

  it('that is refused again and again is given up', async () => {
    const app = await start({
      options: { auth: { jwt: { secret: 'another secret, of quite the same length as that' } } },
    });
    let asked = 0;
    const getToken = (): string => {
      asked += 1;
      return newToken();
    };
    const { client } = newClient(app.url(), { getToken });
    await expect(client.connect()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', closeCode: 4003 });
    expect(asked).toBe(4);
  });

  it('that has expired is replaced by a fresh one', async () => {
    server = await ScriptedServer.start();
    let asked = 0;
    const { client, states } = newClient(server.url, { getToken: () => `token${++asked}` });
    await client.connect();
    (await server.next()).socket.close(4005, 'token expired');
    await entered(client, 'reconnecting');
    await client.connect();
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,bearer.token2');
    expect(states).toEqual(['connecting', 'connected', 'reconnecting:4005', 'connected']);
  });
});

describe('getToken', () => {
  it('that fails is asked again later', async () => {
    server = await ScriptedServer.start();
    let asked = 0;
    const getToken = async (): Promise<string> => {
      if (++asked < 3) throw new Error('The login server is away.');
      return 'token';
    };
    const { client, changes } = newClient(server.url, { getToken });
    await client.connect();
    expect(changes.map(({ state, reason }) => [state, reason.includes('The login server is away.')])).toEqual([
      ['connecting', false],
      ['reconnecting', true],
      ['reconnecting', true],
      ['connected', false],
    ]);
  });

  it('that says so stops the client', async () => {
    const reason = new WebSocketClientError('LOGGED_OUT', 'Log in again.');
    const getToken = (): never => {
      throw reason;
    };
    const { client, states } = newClient('ws://127.0.0.1:1', { getToken });
    await expect(client.connect()).rejects.toBe(reason);
    expect(states).toEqual(['connecting', 'disconnected:1006']);
  });

  it('that never answers is given up with its attempt, and its late answer disturbs nothing', async () => {
    server = await ScriptedServer.start();
    const late = new Gate<string>();
    let asked = 0;
    const getToken = () => (++asked === 1 ? late.passed : 'second');
    const { client, states } = newClient(server.url, { getToken, connectTimeout: 30 });
    await client.connect();
    late.open('first');
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,bearer.second');
    expect(states).toEqual(['connecting', 'reconnecting:1006', 'connected']);
    expect(server.connections).toHaveLength(1);
    server.connections[0]!.socket.terminate();
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,bearer.second');
  });
});

describe('a token that expires soon', () => {
  it('is refreshed by itself, and the connection outlives it', async () => {
    const clock = new ManualRuntime();
    const app = await start({
      options: { auth: { jwt: { secret: SECRET } }, heartbeat: false },
      override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
    });
    const now = Math.floor(clock.now() / 1_000);
    const lives = [20, 3_600];
    const { client, states } = newClient(app.url(), {
      getToken: () => hs256({ sub: 'ada', jti: `j${lives.length}`, exp: now + lives.shift()! }),
      heartbeat: false,
    });
    await client.connect();
    await clock.advance(11_000);
    await until('another token was asked for', () => lives.length === 0);
    expect(await client.request('system', 'ping')).toEqual({ time: clock.now() });
    await clock.advance(30_000);
    expect(await client.request('system', 'ping')).toEqual({ time: clock.now() });
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('whose refresh fails is reported, and the connection goes on until it ends', async () => {
    server = await ScriptedServer.start();
    const tokens = ['first', 'second', 'third'];
    const { client, errors } = newClient(server.url, { getToken: () => tokens.shift() });
    await client.connect();
    const connection = await server.next();
    connection.send({ type: 'auth', action: 'expiring', data: { expiresAt: 1 } });
    const asked = await connection.next('refresh');
    expect(asked.data).toEqual({ token: 'second' });
    connection.refuse(asked, 'UNAUTHENTICATED');
    await until(() => errors.length === 1);
    expect([client.state, errors[0]]).toMatchObject(['connected', { code: 'UNAUTHENTICATED' }]);
    connection.socket.terminate();
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,bearer.third');
  });

  it('is the business of the application where there is no getToken', async () => {
    server = await ScriptedServer.start();
    const { client, errors } = newClient(server.url);
    await client.connect();
    const connection = await server.next();
    connection.send({ type: 'auth', action: 'expiring', data: { expiresAt: 1 } });
    await new Promise((resolve) => client.on('auth', 'expiring', resolve));
    const refreshing = client.refresh('by-hand');
    const asked = await connection.next('refresh');
    expect(asked.data).toEqual({ token: 'by-hand' });
    connection.reply(asked, { userId: 'ada' });
    await refreshing;
    await expect(client.refresh()).rejects.toMatchObject({ code: 'BAD_OPTION', message: 'There is no token.' });
    expect(errors).toEqual([]);
    connection.socket.terminate();
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,bearer.by-hand');
  });

  it('given by hand outlives attempts that fail', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    await client.refresh('by-hand');
    await client.connect();
    server.script = ({ socket }) => {
      server!.script = (connection) => connection.welcome();
      socket.terminate();
    };
    (await server.next()).socket.terminate();
    for (let attempt = 0; attempt < 2; attempt++) {
      expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,bearer.by-hand');
    }
    await client.connect();
  });

  it('can be replaced while a connection with the old one is opened', async () => {
    const welcome = new Gate();
    server = await ScriptedServer.start((connection) => void welcome.passed.then(() => connection.welcome()));
    const { client } = newClient(server.url, { getToken: () => 'old' });
    const connecting = client.connect();
    const connection = await server.next();
    await client.refresh('new');
    welcome.open();
    await connecting;
    connection.socket.terminate();
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,bearer.new');
  });

  it('can be replaced while there is no connection', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    await client.refresh('before');
    await client.connect();
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,bearer.before');
  });
});
