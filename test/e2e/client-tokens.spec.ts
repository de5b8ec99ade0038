import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientManager, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { WebSocketClientError, type WebSocketClientOptions } from '../../lib/client/index.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { entered } from '../support/client-states.js';
import { Gate } from '../support/gate.js';
import { ManualClientRuntime } from '../support/manual-client-runtime.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { startsOneApp } from '../support/test-app.js';
import { testsClients, type TestedClient } from '../support/test-clients.js';
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
    const { client } = newClient(app.url(), { getToken: () => 'forged', tokenTo: 'message', tokenPatience: 1 });
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
      expect(connection.request.headers['sec-websocket-protocol']).toBe('pxl.v1,pxl.refusals,bearer.token1');
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

    const stubborn = newClient(server.url, { getToken: () => 'always-bad', tokenPatience: 1 });
    await expect(stubborn.client.connect()).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'There is no new token.',
      retryable: false,
      closeCode: code,
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
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,pxl.refusals,bearer.token2');
    expect(states).toEqual(['connecting', 'connected', 'reconnecting:4005', 'connected']);
  });
});

describe('a session of the application', () => {
  it("has the identity of its own user: disconnect() ends the former one's", async () => {
    const app = await start({ options: { auth: { jwt: { secret: SECRET }, required: false } } });
    let user: string | null = 'ada';
    const getToken = (): string | null => user && hs256(claimsOf(user));
    const { client } = newClient(app.url(), { getToken });
    const identities: unknown[] = [];
    for (user of ['ada', 'bo', null, 'ada']) {
      const { userId } = await client.connect();
      identities.push(userId, userOf(app, client.clientId));
      client.disconnect();
    }
    expect(identities).toEqual(['ada', 'ada', 'bo', 'bo', undefined, undefined, 'ada', 'ada']);
  });

  it('drops the token that was given to it by hand; one that is given later is for the next', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url, { reconnect: { minDelay: 5, attempts: 1 } });
    await client.refresh('of-ada');
    await client.connect();
    server.script = ({ socket }) => socket.terminate();
    (await server.next()).socket.terminate();
    await entered(client, 'disconnected');
    server.script = (connection) => connection.welcome();
    // Giving up is not the application's word: Ada is still there.
    await client.connect();
    client.disconnect();
    await client.connect();
    client.disconnect();
    await client.refresh('of-bo');
    await client.connect();
    const offered = server.connections.map(({ request }) => request.headers['sec-websocket-protocol']);
    const [ada, nobody, bo] = [
      'pxl.v1,pxl.refusals,bearer.of-ada',
      'pxl.v1,pxl.refusals',
      'pxl.v1,pxl.refusals,bearer.of-bo',
    ];
    expect(offered).toEqual([ada, ada, ada, nobody, bo]);
  });

  it('takes a refresh that is under way with it', async () => {
    server = await ScriptedServer.start();
    const ada = new Gate<string>();
    const tokens: (string | Promise<string>)[] = ['ada', ada.passed, 'bo'];
    const { client } = newClient(server.url, { getToken: () => tokens.shift() });
    await client.connect();
    const refreshing = client.refresh();
    client.disconnect();
    await client.connect();
    ada.open('another-of-ada');
    await expect(refreshing).rejects.toMatchObject({ code: 'UNAVAILABLE', closeCode: 1000 });
    await server.next();
    const connection = await server.next();
    connection.socket.terminate();
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,pxl.refusals,bearer.bo');
    expect(connection.heard).toEqual([]);
  });
});

describe('a stale token', () => {
  /** A client whose first token is refused, on a clock that stands still. */
  async function refused(
    next: (waited: number) => string | null,
  ): Promise<TestedClient & { clock: ManualClientRuntime; asked: number[] }> {
    server = await ScriptedServer.start((connection) => {
      if (connection.request.headers['sec-websocket-protocol']!.endsWith('good')) connection.welcome();
      else connection.socket.close(4003, '{"error":"The token has expired."}');
    });
    const clock = new ManualClientRuntime();
    const began = clock.now();
    const asked: number[] = [];
    const getToken = (): string | null => {
      asked.push(clock.now() - began);
      return next(asked.at(-1)!);
    };
    const tested = newClient(server.url, { getToken, reconnect: {} }, clock);
    void tested.client.connect();
    await entered(tested.client, 'reconnecting');
    return { ...tested, clock, asked };
  }

  it.each(['stale', null])('(%s) is no verdict: another one is waited for', async (stale) => {
    const { client, states, changes, clock, asked } = await refused((waited) =>
      waited === 0 ? 'stale' : waited > 10_000 ? 'good' : stale,
    );
    expect(changes.at(-1)!.reason).toBe('The token has expired.');
    await clock.advance(20_000);
    await entered(client, 'connected');
    expect(asked).toEqual([0, 250, 750, 1_750, 3_750, 7_750, 15_750]);
    expect(states).toEqual(['connecting', 'reconnecting:4003', 'connected']);
    expect(server!.connections).toHaveLength(2);
  });

  it('that stays the only one stops the client once it has been patient', async () => {
    const { client, states, clock, asked } = await refused(() => 'stale');
    const stopped = expect(client.connect()).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'There is no new token.',
      closeCode: 4003,
      retryable: false,
    });
    await clock.advance(250);
    await clock.advance(29_999);
    expect(client.state).toBe('reconnecting');
    await clock.advance(1);
    await stopped;
    expect([states.at(-1), asked.at(-1), server!.connections.length]).toEqual(['disconnected:4003', 30_250, 1]);
  });

  it('is waited for in vain no longer when tokens that differ are refused in turns', async () => {
    let turn = 0;
    const { client, clock } = await refused(() => `bad${Math.floor(turn++ / 2)}`);
    while (client.state !== 'disconnected' && clock.now() < 1_700_000_060_000) {
      await clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(client.state).toBe('disconnected');
  });

  it('in place of one that is about to expire, or was refused in a refresh, is asked for again', async () => {
    server = await ScriptedServer.start();
    const clock = new ManualClientRuntime();
    const tokens = ['old', 'old', null, 'bad', 'bad', 'new'];
    const { client, errors } = newClient(server.url, { getToken: () => tokens.shift() }, clock);
    await client.connect();
    const connection = await server.next();
    const idle = clock.size;
    connection.send({ type: 'auth', action: 'expiring', data: { expiresAt: 1 } });
    await until(() => clock.size > idle);
    await clock.advance(500);
    expect([tokens.length, connection.heard]).toEqual([3, []]);
    await clock.advance(1_000);
    const asked = await connection.next('refresh');
    connection.refuse(asked, 'UNAUTHENTICATED');
    await until(() => errors.length === 1);
    const timers = clock.size;
    const refreshing = client.refresh();
    await until(() => clock.size > timers);
    await clock.advance(500);
    const again = await connection.next('refresh');
    expect([asked.data, again.data]).toEqual([{ token: 'bad' }, { token: 'new' }]);
    connection.reply(again, { userId: 'ada' });
    await refreshing;
    expect([client.state, errors]).toMatchObject(['connected', [{ code: 'UNAUTHENTICATED' }]]);
  });

  it('in a refresh is waited for no longer than patience lasts, nor than the session', async () => {
    server = await ScriptedServer.start();
    const clock = new ManualClientRuntime();
    const { client, errors } = newClient(server.url, { getToken: () => 'old', tokenPatience: 4_000 }, clock);
    await client.connect();
    const connection = await server.next();
    connection.send({ type: 'auth', action: 'expiring', data: { expiresAt: 1 } });
    await new Promise((resolve) => client.on('auth', 'expiring', resolve));
    const timers = clock.size;
    const refused = expect(client.refresh()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
    await until(() => clock.size > timers);
    await clock.advance(4_000);
    await refused;
    expect(errors).toMatchObject([{ code: 'UNAUTHENTICATED' }]);
    const left = clock.size;
    const ended = expect(client.refresh()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await until(() => clock.size > left);
    client.disconnect();
    await ended;
    expect(connection.heard).toEqual([]);
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
    const { client, changes, errors } = newClient(server.url, { getToken });
    await client.connect();
    expect(errors.map(String)).toEqual(Array(2).fill('Error: The login server is away.'));
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
    const { client, states, errors } = newClient('ws://127.0.0.1:1', { getToken });
    await expect(client.connect()).rejects.toBe(reason);
    expect(errors).toEqual([reason]);
    expect(states).toEqual(['connecting', 'disconnected:1006']);
  });

  it('that never answers is given up with its attempt, and its late answer disturbs nothing', async () => {
    server = await ScriptedServer.start();
    const late = new Gate<string>();
    let asked = 0;
    const getToken = () => (++asked === 1 ? late.passed : 'second');
    const clock = new ManualClientRuntime();
    const { client, states } = newClient(server.url, { getToken, connectTimeout: 30 }, clock);
    const connecting = client.connect();
    await until(() => asked === 1);
    await clock.advance(30);
    await clock.advance(5);
    await connecting;
    late.open('first');
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,pxl.refusals,bearer.second');
    expect(states).toEqual(['connecting', 'reconnecting:1006', 'connected']);
    expect(server.connections).toHaveLength(1);
    server.connections[0]!.socket.terminate();
    await entered(client, 'reconnecting');
    await clock.advance(10);
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,pxl.refusals,bearer.second');
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
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,pxl.refusals,bearer.third');
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
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,pxl.refusals,bearer.by-hand');
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
      expect((await server.next()).request.headers['sec-websocket-protocol']).toBe(
        'pxl.v1,pxl.refusals,bearer.by-hand',
      );
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
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,pxl.refusals,bearer.new');
  });

  it('can be replaced while there is no connection', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    await client.refresh('before');
    await client.connect();
    expect((await server.next()).request.headers['sec-websocket-protocol']).toBe('pxl.v1,pxl.refusals,bearer.before');
  });
});
