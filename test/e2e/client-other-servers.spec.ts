import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ClientManager,
  WebSocketService,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
} from 'nestjs-pxl-websocket';
import type { WebSocketClientOptions } from '../../lib/client/index.js';
import { entered } from '../support/client-states.js';
import { Gate } from '../support/gate.js';
import { ManualClientRuntime } from '../support/manual-client-runtime.js';
import { IgnisFrameworkServer, PxlFrameworkServer, type SeedConnection } from '../support/seed-servers.js';
import { startsOneApp } from '../support/test-app.js';
import { testsClients, type TestedClient } from '../support/test-clients.js';
import { claimsOf, hs256, SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';

const newClient = testsClients();

/** Resolves once the server has heard as many messages of the newest connection; with them. */
async function heard({ last }: { readonly last: SeedConnection }, count: number): Promise<unknown[]> {
  await until(() => last.heard.length >= count);
  return last.heard;
}

describe('a client of a PXL server that is not ours', () => {
  let server: PxlFrameworkServer;

  beforeEach(async () => {
    server = await new PxlFrameworkServer().listen();
  });

  afterEach(() => server.close());

  function made(options: Partial<WebSocketClientOptions> = {}, clock?: ManualClientRuntime): TestedClient {
    return newClient(server.url, { protocol: 'pxl', server: 'other', ...options }, clock);
  }

  async function connected(options: Partial<WebSocketClientOptions> = {}, clock?: ManualClientRuntime) {
    const tested = made(options, clock);
    await tested.client.connect();
    await until(() => server.connections.length === 1);
    return tested;
  }

  it('is connected once the socket is open: it offers no subprotocol, and waits for no welcome', async () => {
    const ids: string[] = [];
    const { client, states } = await connected({ events: { onConnected: ({ clientId }) => ids.push(clientId) } });
    expect(server.last).toMatchObject({ offered: undefined, token: null, heard: [] });
    expect([client.clientId, ids]).toEqual([null, ['']]);
    expect(states).toEqual(['connecting', 'connected']);
    client.disconnect();
    expect(await server.last.closed).toBe(1000);
  });

  it('brings its token as ?token=, and asks for another one when that is refused with 401', async () => {
    server.tokens.add('good');
    const tokens = ['bad', 'good'];
    const { client, states } = await connected({ getToken: () => tokens.shift() ?? null });
    expect([server.last.token, server.connections.length]).toEqual(['good', 1]);
    expect(states).toEqual(['connecting', 'reconnecting:4003', 'connected']);
    // Nobody there knows of a refresh: the token is for the next connection.
    server.tokens.add('better');
    await client.refresh('better');
    server.last.socket.terminate();
    await until(() => server.connections.length === 2);
    expect([server.connections[0]!.heard, server.last.token]).toEqual([[], 'better']);
  });

  it('without another token stops at the 401', async () => {
    const refused = made({ getToken: () => 'bad', tokenPatience: 1 }).client.connect();
    await expect(refused).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'There is no new token.',
      closeCode: 4003,
    });
  });

  it('sends in the shape of the framework, and hears what it pushes', async () => {
    const { client, errors } = await connected();
    const told: unknown[] = [];
    client.on('chat', 'message', (data) => told.push(data));
    client.on('chat', 'typing', (data) => told.push(data));
    client.send('chat', 'send', { text: 'Hello!' });
    client.sendMessage({ type: 'chat', action: 'typing' });
    expect(await heard(server, 2)).toEqual([
      { type: 'chat', action: 'send', data: { text: 'Hello!' } },
      { type: 'chat', action: 'typing' },
    ]);
    server.send(server.last, { type: 'chat', action: 'message', data: { username: 'alice' } });
    server.send(server.last, { type: 'chat', action: 'typing' });
    server.send(server.last, { type: 'error', action: 'message', data: { error: 'Not now.' } });
    await until(() => errors.length === 1);
    expect(told).toEqual([{ username: 'alice' }, undefined]);
    expect(errors).toMatchObject([{ code: 'APPLICATION', message: 'Not now.' }]);
  });

  it('answers the ping that its documents have a server send', async () => {
    await connected();
    server.send(server.last, { type: 'system', action: 'ping' });
    expect(await heard(server, 1)).toEqual([{ type: 'system', action: 'pong' }]);
  });

  it('takes what comes back under the names of a request for its answer', async () => {
    const values: unknown[] = [];
    const { client } = await connected({ events: { onMessage: ({ data }) => values.push(data) } });
    server.controllers.set('user:getProfile', ({ userId }: { userId: number }) => ({ success: true, userId }));
    server.controllers.set('user:touch', () => undefined);
    server.controllers.set('chat:send', () => ({ error: 'Invalid message format', code: 'INVALID_MESSAGE' }));
    expect(await client.request('user', 'getProfile', { userId: 123 })).toEqual({ success: true, userId: 123 });
    expect(await client.request('user', 'touch')).toBeUndefined();
    const refused = { error: 'Invalid message format', code: 'INVALID_MESSAGE' };
    expect(await client.request('chat', 'send')).toEqual(refused);
    expect(server.last.heard[0]).toEqual({ type: 'user', action: 'getProfile', data: { userId: 123 } });
    expect(values).toEqual([]);
    // Nobody has asked: it is heard as everything else that is said.
    client.send('chat', 'send');
    await until(() => values.length === 1);
    expect(values).toEqual([{ type: 'chat', action: 'send', response: refused }]);
  });

  it('asks one thing of a name at a time, so that no answer is taken for another; what is pushed is none', async () => {
    const gates = [new Gate<string>(), new Gate<string>(), new Gate<string>()];
    const asked: number[] = [];
    const answers: string[] = [];
    server.controllers.set('a:slow', (at: number) => (asked.push(at), gates[at]!.passed));
    server.controllers.set('a:fast', () => 'fast');
    const { client } = await connected();
    const requests = [0, 1, 2].map(async (at) => answers.push((await client.request('a', 'slow', at)) as string));
    server.send(server.last, { type: 'a', action: 'slow', data: 'pushed' });
    expect(await client.request('a', 'fast')).toBe('fast');
    expect(asked).toEqual([0]);
    for (const [at, gate] of gates.entries()) {
      await until(() => asked.length === at + 1);
      gate.open(`answer ${at}`);
    }
    await Promise.all(requests);
    expect(answers).toEqual(['answer 0', 'answer 1', 'answer 2']);
  });

  it('gives up what nobody answers, and goes on with what has waited for it', async () => {
    const { client } = await connected();
    const given = new AbortController();
    const abandoned = client.request('no', 'body', 1, { timeout: false, signal: given.signal });
    const late = client.request('no', 'body', 2, { timeout: 20 });
    const next = client.request('no', 'body', 3, { timeout: 5_000 });
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' });
    given.abort(new Error('enough'));
    await expect(abandoned).rejects.toThrow('enough');
    server.controllers.set('no:body', () => 'somebody');
    expect(await heard(server, 2)).toMatchObject([{ data: 1 }, { data: 3 }]);
    server.send(server.last, { type: 'no', action: 'body', response: 'somebody' });
    expect(await next).toBe('somebody');
  });

  it('fails what is under way when the connection is lost, and sends then what has waited', async () => {
    const { client } = await connected();
    const lost = client.request('no', 'body', 1);
    const waiting = client.request('no', 'body', 2);
    await heard(server, 1);
    server.controllers.set('no:body', (data) => `answer ${String(data)}`);
    server.last.socket.terminate();
    await expect(lost).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await waiting).toBe('answer 2');
  });

  it('has no streams', async () => {
    const { client } = await connected();
    expect(() => client.stream('a', 'b')).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }));
  });

  it('joins rooms by messages that it awaits no answer to, and is back in them after a cut', async () => {
    const { client } = await connected();
    const told: unknown[] = [];
    client.on('chat', 'message', (data) => told.push(data));
    expect(await client.join('general', { username: 'alice' })).toEqual({ roomName: 'general' });
    await Promise.all([client.join('chat:support'), client.join('lobby')]);
    await client.leave('lobby');
    const join = (roomName: string, username?: string): object => {
      return { type: 'system', action: 'joinRoom', data: { roomName, username } };
    };
    expect(await heard(server, 4)).toEqual([
      join('general', 'alice'),
      join('chat:support'),
      join('lobby'),
      { type: 'system', action: 'leaveRoom', data: { roomName: 'lobby' } },
    ]);
    server.sendToRoom('general', { type: 'chat', action: 'message', data: 1 });
    await until(() => told.length === 1);
    server.last.socket.terminate();
    await entered(client, 'reconnecting');
    const joining = client.join('late');
    client.send('chat', 'waited');
    await until(() => server.connections.length === 2);
    await joining;
    expect(await heard(server, 4)).toEqual([
      join('general', 'alice'),
      join('chat:support'),
      join('late'),
      { type: 'chat', action: 'waited' },
    ]);
    server.sendToRoom('late', { type: 'chat', action: 'message', data: 2 });
    await until(() => told.length === 2);
  });

  it('refuses to join a room that nothing can be told of', async () => {
    await expect(made().client.join('tea')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const { client } = made({ queue: false, connectTimeout: 1_000 });
    const connecting = client.connect();
    await expect(client.join('tea')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await connecting;
    server.last.socket.terminate();
    await entered(client, 'reconnecting');
    await client.connect();
    expect(server.last.heard).toEqual([]);
  });

  it('asks a silent server for nothing, and does not give it up', async () => {
    const clock = new ManualClientRuntime();
    const { client } = await connected({ heartbeat: { interval: 1_000, timeout: 1_000 } }, clock);
    await clock.advance(600_000);
    server.send(server.last, { type: 'a', action: 'marker' });
    await new Promise((resolve) => client.on('a', 'marker', resolve));
    expect([client.state, server.last.heard]).toEqual(['connected', []]);
  });
});

describe('a client of an Ignis server that is not ours', () => {
  let server: IgnisFrameworkServer;

  beforeEach(async () => {
    server = await new IgnisFrameworkServer().listen();
  });

  afterEach(() => server.close());

  function made(options: Partial<WebSocketClientOptions> = {}, clock?: ManualClientRuntime): TestedClient {
    return newClient(server.url, { protocol: 'event', server: 'other', ...options }, clock);
  }

  async function connected(options: Partial<WebSocketClientOptions> = {}, clock?: ManualClientRuntime) {
    const tested = made(options, clock);
    await tested.client.connect();
    return tested;
  }

  it('authenticates with its token, and is connected once the server says so', async () => {
    server.authenticate = ({ token }) => (token === 'ada' ? { userId: '7' } : null);
    const { client } = await connected({ getToken: () => 'ada' });
    expect(server.last).toMatchObject({ offered: undefined, token: null });
    expect(server.last.heard).toEqual([{ event: 'authenticate', data: { token: 'ada' } }]);
    expect([client.state, client.clientId]).toEqual(['connected', 'c1']);
  });

  it('authenticates without a token too: the server waits for that', async () => {
    await connected();
    expect(server.last.heard).toEqual([{ event: 'authenticate', data: { token: null } }]);
  });

  it('asks for another token after an error and 4003, and without one stops there', async () => {
    server.authenticate = ({ token }) => (token === 'good' ? {} : null);
    const tokens = ['bad', 'good'];
    const { states } = await connected({ getToken: () => tokens.shift() ?? null });
    expect(states).toEqual(['connecting', 'reconnecting:4003', 'connected']);
    await expect(made().client.connect()).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      closeCode: 4003,
      message: 'Authentication failed',
    });
  });

  it('that the server closes with 4001, or later with 4002, comes back', async () => {
    server.isDeaf = true;
    server.authTimeout = 10;
    const { client, states } = made();
    const connecting = client.connect();
    await entered(client, 'reconnecting');
    server.isDeaf = false;
    server.authTimeout = 5_000;
    await connecting;
    server.last.socket.close(4002, 'Heartbeat timeout');
    await entered(client, 'reconnecting');
    await client.connect();
    const losses = states.filter((state) => state.startsWith('reconnecting'));
    expect([losses[0], losses.at(-1)]).toEqual(['reconnecting:4001', 'reconnecting:4002']);
  });

  it('sends events, and hears them', async () => {
    const { client, errors } = await connected();
    const told: unknown[] = [];
    for (const event of ['news', 'encrypted']) client.on('event', event, (data) => told.push([event, data]));
    client.on('chat', 'message', (data) => told.push(['chat:message', data]));
    client.send('event', 'hello', { text: 'Hello' });
    client.send('chat', 'send', 1);
    expect((await heard(server, 3)).slice(1)).toEqual([
      { event: 'hello', data: { text: 'Hello' } },
      { event: 'chat:send', data: 1 },
    ]);
    server.send(server.last, { event: 'news', data: 1 });
    server.send(server.last, { event: 'chat:message', data: 2 });
    server.send(server.last, { event: 'encrypted', data: 'of the application' });
    server.send(server.last, { event: 'error', data: { message: 'Invalid message format' } });
    await until(() => errors.length === 1);
    expect(told).toEqual([
      ['news', 1],
      ['chat:message', 2],
      ['encrypted', 'of the application'],
    ]);
    expect(errors).toMatchObject([{ code: 'APPLICATION', message: 'Invalid message format' }]);
  });

  it('takes what comes back with the id of a request for its answer, and gives up what does not', async () => {
    const { client } = await connected();
    server.handle = (connection, { event, id, data }) => {
      if (event === 'echo') server.send(connection, { event, id, data });
      // An event of that name is no answer.
      else server.send(connection, { event, data });
    };
    expect(await client.request('event', 'echo', { a: 1 })).toEqual({ a: 1 });
    const unanswered = client.request('event', 'chat', 1, { timeout: 50 });
    await expect(unanswered).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(() => client.stream('a', 'b')).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }));
  });

  it('joins rooms without an answer, and is back in them after a cut', async () => {
    const { client } = await connected({ getToken: () => 'ada' });
    expect(await client.join('tea')).toEqual({ roomName: 'tea' });
    await client.join('chess');
    await client.leave('tea');
    expect((await heard(server, 4)).slice(1)).toEqual([
      { event: 'join', data: { rooms: ['tea'] } },
      { event: 'join', data: { rooms: ['chess'] } },
      { event: 'leave', data: { rooms: ['tea'] } },
    ]);
    server.last.socket.terminate();
    await until(() => server.connections.length === 2);
    expect(await heard(server, 2)).toEqual([
      { event: 'authenticate', data: { token: 'ada' } },
      { event: 'join', data: { rooms: ['chess'] } },
    ]);
    const news = new Promise((resolve) => client.on('event', 'news', resolve));
    server.sendToRoom('chess', { event: 'news', data: 1 });
    expect(await news).toBe(1);
  });

  it.each<[string, WebSocketClientOptions['heartbeat'], number]>([
    ['every 30 s, since it would be closed after 90', undefined, 30_000],
    ['every 30 s where it watches nothing', false, 30_000],
    ['as often as it is told to', { interval: 10_000 }, 10_000],
  ])('sends heartbeats %s, and expects none', async (_when, heartbeat, interval) => {
    const clock = new ManualClientRuntime();
    const { client } = await connected({ heartbeat }, clock);
    for (let beat = 1; beat <= 4; beat++) {
      await clock.advance(interval - 1);
      await clock.advance(1);
      expect((await heard(server, beat + 1)).slice(1)).toEqual(Array(beat).fill({ event: 'heartbeat' }));
    }
    expect(client.state).toBe('connected');
  });
});

describe('a client that takes a server of this library for another one', () => {
  const start = startsOneApp();

  class Gateway {
    @WsRoute('chat', 'echo')
    echo(_client: WsClient, data: unknown): unknown {
      return data;
    }
  }

  it.each<['pxl' | 'event', PxlWebSocketModuleOptions]>([
    ['pxl', { auth: { jwt: { secret: SECRET } } }],
    ['event', { auth: { jwt: { secret: SECRET }, mode: 'message' } }],
  ])('in the words of %s is known, sends, hears, and is in its rooms again after a cut', async (protocol, options) => {
    const app = await start({ options: { ...options, protocol, rooms: { open: true } }, providers: [Gateway] });
    const service = app.app.get(WebSocketService);
    const manager = app.app.get(ClientManager);
    const getToken = (): string => hs256(claimsOf('ada'));
    const { client, errors, sockets } = newClient(app.url(), { protocol, server: 'other', getToken });
    await client.connect();
    await client.join('tea');
    const answer = client.request('chat', 'echo', 7, { timeout: 2_000 });
    expect(await answer).toBe(7);
    for (let cut = 0; cut < 2; cut++) {
      const members = (): number => manager.getClientsByRoom({ room: 'tea' }).length;
      await until(() => members() === 1 && manager.size === 1);
      const heard = new Promise((resolve) => client.on('chat', 'message', resolve));
      await service.sendToRooms(['tea'], { type: 'chat', action: 'message', data: cut });
      expect(await heard).toBe(cut);
      expect(manager.getClientsByUser({ userId: 'ada' })).toHaveLength(1);
      sockets.open[0]?.terminate();
      await entered(client, 'reconnecting');
      await client.connect();
    }
    await client.leave('tea');
    await until(() => manager.getClientsByRoom({ room: 'tea' }).length === 0);
    expect(errors).toEqual([]);
  });
});
