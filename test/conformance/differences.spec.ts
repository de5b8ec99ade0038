import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Global, Injectable, Module } from '@nestjs/common';
import { Redis } from 'ioredis';
import {
  ClientManager,
  defineWebSocketSubscriber,
  PxlWebSocketModule,
  PxlWebSocketServer,
  WebSocketDefaults,
  WebSocketService,
  type ClientPredicate,
  type PxlWebSocketModuleOptions,
  type WsCredentials,
  type WsVerdict,
} from 'nestjs-pxl-websocket';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';
import { WebSocket } from 'ws';
import { IgnisClient } from '../support/ignis-client.js';
import { RedisServer } from '../support/redis-server.js';
import { refused } from '../support/refused.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { claimsOf, hs256, SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';

/** What a subscriber finds by the class of a provider. */
@Injectable()
class Jobs {
  readonly added: unknown[] = [];
}

@Global()
@Module({ providers: [Jobs], exports: [Jobs] })
class JobsModule {}

/** Another host than that of the applications here. */
const ELSEWHERE = 'https://app.example.com';

let redis: RedisServer;
/** With the defaults of the module, a key for tokens and a Redis. */
let strict: TestApp;
/** Open as the PXL framework is; another worker of the same cluster. */
let open: TestApp;
/** With the `authenticateFn` of an application of Ignis. */
let ignis: TestApp;

const jobs = defineWebSocketSubscriber({
  channel: 'jobs',
  handle: ({ message, moduleRef }) => moduleRef.get(Jobs, { strict: false }).added.push(message),
});

function authenticate({ source, data }: WsCredentials): WsVerdict {
  if (source === 'upgrade') return null;
  const { name } = data as { name?: string };
  if (name === 'outage') throw new Error('The database is away.');
  return name ? { userId: name } : null;
}

/** Picks among its own worker's clients, of which it knows all. */
const picked = defineWebSocketSubscriber({
  channel: 'picked',
  handle: ({ message, webSocketServer }) =>
    webSocketServer.broadcastToAllClients({
      data: message,
      predicate: ({ userData }) => userData?.subscription === 'premium',
    }),
});

beforeAll(async () => {
  redis = await RedisServer.start();
  const jwt = { secret: SECRET };
  strict = await startApp({
    options: false,
    imports: [
      JobsModule,
      PxlWebSocketModule.forRootAsync({
        inject: [Jobs],
        useFactory: ({ added }: Jobs): PxlWebSocketModuleOptions => ({
          redis: redis.url,
          auth: { jwt },
          subscribers: [jobs, picked],
          events: {
            onMessage: ({ ws, clientId, data, redisInstance }) => {
              const given = { ws, clientId, data, redisInstance };
              added.push(Object.entries(given).flatMap(([name, value]) => (value ? [name] : [])));
            },
          },
        }),
      }),
    ],
  });
  open = await startApp({
    options: {
      redis: redis.url,
      auth: { jwt, required: false },
      rooms: { open: true },
      origins: [ELSEWHERE],
      inbound: { binary: true },
    },
  });
  ignis = await startApp({
    options: {
      protocol: 'event',
      auth: { authenticate },
      rooms: { authorize: ({ roomName }) => roomName !== 'secret' },
      encryption: true,
    },
  });
});

afterAll(async () => {
  await Promise.all([strict, open, ignis].map((app) => app.close()));
  await redis.stop();
});

const token = (sub: unknown, more?: Record<string, unknown>): string => hs256(claimsOf(sub, more));
const user = (app: TestApp, sub: unknown, more?: Record<string, unknown>): Promise<TestClient> =>
  app.client({ path: `/ws?token=${token(sub, more)}` });
const verbs = (app: TestApp): PxlWebSocketServer => app.app.get(PxlWebSocketServer);
const news = (data: unknown): { type: string; action: string; data: unknown } => ({
  type: 'news',
  action: 'flash',
  data,
});

/** Both systems took pages of any origin. */
async function pagesOfOtherHosts(): Promise<void> {
  for (const app of [strict, ignis]) {
    await expect(TestClient.open(app.url(), { token: token(1), origin: ELSEWHERE })).rejects.toThrow('403');
  }
  await (await TestClient.open(open.url(), { origin: ELSEWHERE })).close();
}

async function joinsOnceAwaited(): Promise<void> {
  const server = verbs(open);
  const client = await user(open, 1);
  // A room that this worker does not hear yet.
  const roomName = `of ${client.clientId}`;
  const join = { clientId: client.clientId, roomName };
  const joined = [server.joinRoom(join), server.roomManager.addClientToRoom(join)];
  server.broadcastToRoom({ roomName, data: news('early') });
  expect(await Promise.all(joined)).toEqual([true, true]);
  server.broadcastToRoom({ roomName, data: news('in time') });
  expect(await client.next()).toEqual(news('in time'));
  await client.close();
}

/** What the two systems wrote to Redis under fixed names is under the prefix. */
async function channels(): Promise<string[]> {
  const heard: string[] = [];
  const listener = new Redis(redis.url);
  try {
    listener.on('pmessage', (_pattern: string, channel: string) => heard.push(channel));
    await listener.psubscribe('*');
    await open.app.get(WebSocketService).publish('jobs', 1);
    await open.app.get(WebSocketService).sendToRooms(['tea'], news(1));
    await open.app.get(WebSocketService).broadcast(news(1));
    await until(() => heard.includes('pxl:broadcast'));
  } finally {
    listener.disconnect();
  }
  return heard;
}

async function binaryFrames(): Promise<void> {
  const frame = Buffer.from(JSON.stringify({ type: 'system', action: 'joinRoom', data: { roomName: 'tea' }, id: 1 }));
  const [refused, read] = [await user(strict, 1), await user(open, 1)];
  for (const { socket } of [refused, read]) socket.send(frame);
  expect(await refused.next()).toMatchObject({ type: 'error', data: { code: 'BAD_MESSAGE' } });
  expect(await read.next()).toMatchObject({ id: 1, response: { success: true } });
  await Promise.all([refused.close(), read.close()]);
}

/** By the first cell of each row of "What differs, and why". */
const ofPxl: Record<string, () => Promise<void>> = {
  'pages of any origin connect': pagesOfOtherHosts,
  async 'no token: anonymous, although there is a secret'() {
    await expect(TestClient.open(strict.url())).rejects.toThrow('401');
    expect((await open.client()).userId).toBeUndefined();
  },
  async 'clients join any room'() {
    const [refused, member] = [await user(strict, 1), await user(open, 1)];
    await expect(refused.join('tea')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await member.join('tea');
    await Promise.all([refused.close(), member.close()]);
  },
  async '`userId` and `userType` of a client’s `joinRoom` message are believed'() {
    const client = await open.client();
    const claim = { roomName: 'tea', userId: 5, userType: 'admin', username: 'Alice' };
    const { data } = (await client.request('system', 'joinRoom', claim)) as { data: object };
    expect(data).toEqual({ username: 'Alice', roomName: 'tea', joinedAt: expect.any(String) });
    expect(verbs(open).getClients({ userType: 'admin' })).toEqual([]);
    await verbs(open).joinRoom({ clientId: client.clientId, userId: 5, userType: 'admin', roomName: 'tea' });
    expect(verbs(open).getClients({ userType: 'admin' })).toHaveLength(1);
    await client.close();
  },
  async 'the server’s `joinRoom({ ws, userId, userType, ... })` names any user'() {
    const [nobody, alice] = [await open.client(), await user(open, 123)];
    const join = (client: TestClient, userId: number): Promise<boolean> => {
      const { ws } = verbs(open).clientManager.getClient({ clientId: client.clientId, requireWs: true })!;
      return verbs(open).joinRoom({ ws, userId, username: 'Alice', userType: 'member', roomName: 'chat:general' });
    };
    expect([await join(nobody, 7), await join(alice, 123)]).toEqual([true, true]);
    const members = verbs(open).getClients({ userType: 'member' });
    expect(members.map(({ user: of }) => of?.userId)).toEqual(['7', '123']);
    await expect(join(alice, 7)).rejects.toMatchObject({ code: 'CONFLICT' });
    await Promise.all([nobody.close(), alice.close()]);
  },
  async '`userId` is a number'() {
    const client = await user(open, 123);
    expect(open.app.get(ClientManager).getClient({ clientId: client.clientId })?.user?.userId).toBe('123');
    for (const userId of [123, '123']) {
      verbs(open).broadcastToUsers({ userIds: [userId], data: news(userId) });
      expect(await client.next()).toEqual(news(userId));
    }
    await client.close();
  },
  async '`client.user.email`, beside `client.user.payload.role`'() {
    const client = await user(open, 1, { email: 'alice@example.com' });
    const { user: known } = open.app.get(ClientManager).getClient({ clientId: client.clientId })!;
    expect(known).toMatchObject({ payload: { email: 'alice@example.com' } });
    expect(known).not.toHaveProperty('email');
    await client.close();
  },
  '`joinRoom(...)` and `addClientToRoom(...)` are in effect at once': joinsOnceAwaited,
  async '`removeClient(clientId)` forgets a client whose socket stays open'() {
    const client = await user(open, 1);
    open.app.get(ClientManager).removeClient(client.clientId);
    expect((await client.closed).code).toBe(4506);
  },
  async 'the list of all clients goes to everybody at each change, claims included'() {
    const client = await user(open, 1);
    await (await user(open, 2)).close();
    await client.expectNothing();
    await client.close();
  },
  async 'a client that connects hears nothing by itself'() {
    const client = await TestClient.open(open.url(), { token: token(7) });
    const heard = [await client.next(), await client.next()].map(({ type, action }) => [type, action]);
    expect(heard).toEqual([
      ['system', 'connected'],
      ['auth', 'authenticated'],
    ]);
    await client.close();
  },
  'clients may send binary frames': binaryFrames,
  async 'Redis channels are called like the events'() {
    expect(await channels()).toContain('pxl:event:jobs');
  },
  async 'the older edition’s names of events: `’WebSocket:Custom’`, `’WebSocket:ClientConnected’`, ...'() {
    const publishing = open.app.get(WebSocketService).publish('WebSocket:Custom', 1);
    await expect(publishing).rejects.toMatchObject({
      code: 'BAD_MESSAGE',
      message: expect.stringMatching(/ custom\.$/),
    });
    const subscribers = [{ channel: 'WebSocket:ClientConnected', handle: () => undefined }];
    await expect(startApp({ options: { subscribers } })).rejects.toThrow("is 'clientConnected', not");
  },
  async 'a subscriber’s context has `queueManager` and `databaseInstance`'() {
    const { added } = strict.app.get(Jobs);
    await open.app.get(WebSocketService).publish('jobs', { id: 7 });
    await until(() => JSON.stringify(added).includes('{"id":7}'));
  },
  async '`events.onMessage` gets `queueManager` and `databaseInstance`'() {
    const client = await user(strict, 1);
    await client.request('system', 'ping');
    const { added } = strict.app.get(Jobs);
    expect(added).toContainEqual(['ws', 'clientId', 'data', 'redisInstance']);
    await client.close();
  },
  async 'a client’s own `events` get `ws`, `redisInstance` and the rest'() {
    const heard: string[][] = [];
    const note = (event: object): number => heard.push(Object.keys(event).sort());
    const client = new WebSocketClient({
      url: open.url(),
      webSocket: WebSocket,
      events: { onConnected: note, onMessage: note },
    });
    await client.connect();
    verbs(open).sendMessageToAll({ data: news('all') });
    await until(() => heard.length === 2);
    client.destroy();
    expect(heard).toEqual([['clientId', 'joinRoom'], ['data']]);
  },
  '`addClient({ clientId, ws: null })` enters another worker’s client'() {
    const clients = open.app.get(ClientManager);
    const add = (): void => clients.addClient({ clientId: 'remote-1', ws: null as never, lastActivity: 0, user: null });
    expect(add).toThrow(refused());
    return Promise.resolve();
  },
  async '`broadcastToAllClients` reaches this worker’s clients'() {
    const [here, there] = [await user(open, 1), await user(strict, 2)];
    verbs(open).local.broadcastToAllClients({ data: news('local') });
    verbs(open).broadcastToAllClients({ data: news('all') });
    expect(await there.next()).toEqual(news('all'));
    expect([await here.next(), await here.next()]).toEqual([news('local'), news('all')]);
    await Promise.all([here.close(), there.close()]);
  },
  async 'its `predicate` may go by any claim (`userData?.subscription`)'() {
    const premium = { subscription: 'premium' };
    const [here, there] = [await user(open, 1, premium), await user(strict, 2, premium)];
    const options = {
      data: news('premium'),
      predicate: ({ userData }: Parameters<ClientPredicate>[0]) => userData?.subscription === 'premium',
    };
    await until(() => open.app.get(ClientManager).getClient({ clientId: there.clientId }) !== undefined);
    verbs(open).broadcastToAllClients(options);
    await strict.app.get(WebSocketService).publish('picked', options.data);
    expect(await here.next()).toEqual(news('premium'));
    expect(await there.next()).toEqual(news('premium'));
    await here.expectNothing(20);
    await Promise.all([here.close(), there.close()]);
  },
  async '`sendToClients(clientIds, ...)` goes to everybody'() {
    const [named, other] = [await user(open, 1), await user(open, 2)];
    await open.app.get(WebSocketService).sendToClients([named.clientId], news(1));
    await open.app.get(WebSocketService).broadcast(news(2));
    expect([await named.next(), await named.next()]).toEqual([news(1), news(2)]);
    expect(await other.next()).toEqual(news(2));
    await Promise.all([named.close(), other.close()]);
  },
};

const connect = (name: string): Promise<IgnisClient> => IgnisClient.connect(ignis.url(), { name });

const ofIgnis: Record<string, () => Promise<void>> = {
  'pages of any origin connect': pagesOfOtherHosts,
  async '`send()` without a topic or without data does nothing, in silence'() {
    const service = ignis.app.get(WebSocketService);
    for (const payload of [
      { topic: '', data: 1 },
      { topic: 'news', data: undefined },
    ]) {
      await expect(service.send({ payload })).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    }
  },
  async 'an event that nobody handles is dropped'() {
    const client = await connect('ada');
    client.emit('chat', { text: 'Hello' });
    expect(await client.next()).toMatchObject({ event: 'error', data: { code: 'UNKNOWN_ROUTE' } });
  },
  async 'rooms that `validateRoomFn` leaves out are dropped'() {
    const client = await connect('ada');
    const { data } = await client.ask('join', { rooms: ['tea', 'secret'] });
    expect(data).toEqual({ rooms: ['tea'], refused: [{ room: 'secret', code: 'FORBIDDEN' }] });
  },
  async 'clients and rooms are one name space'() {
    const [ada, bo] = [await connect('ada'), await connect('bo')];
    await bo.ask('join', { rooms: [ada.id] });
    const service = ignis.app.get(WebSocketService);
    await service.sendToRooms([ada.id], { event: 'room' });
    await service.sendToClients([ada.id], { event: 'client' });
    expect([await ada.next(), await bo.next()]).toEqual([{ event: 'client' }, { event: 'room' }]);
  },
  async 'a client counts as authenticated before its keys are exchanged'() {
    const states: unknown[] = [];
    const app = await startApp({
      options: encrypting({
        handshake: ({ client }) => {
          states.push(client.state);
          return { serverPublicKey: 'server', salt: 'salt' };
        },
      }),
    });
    const client = await IgnisClient.open(app.url());
    client.emit('authenticate', { name: 'ada', publicKey: 'client' });
    expect(await client.next()).toMatchObject({ event: 'connected', data: { serverPublicKey: 'server' } });
    expect(states).toEqual(['authenticating']);
    await app.close();
  },
  async 'an encrypted client may send in clear, its `heartbeat` for example'() {
    const app = await startApp({ options: encrypting({}) });
    const client = await IgnisClient.open(app.url());
    client.emit('authenticate', { name: 'ada', publicKey: 'client' });
    await client.next('connected');
    client.emit('heartbeat');
    expect((await client.closed).code).toBe(1008);
    await app.close();
  },
  async 'encrypted messages can overtake each other'() {
    let turn = 0;
    const app = await startApp({
      options: encrypting({
        // The first takes longest.
        transform: async ({ event, data }) => {
          const own = turn++;
          await until(() => own > 0 || turn > 1);
          return { event: 'encrypted', data: { event, data } };
        },
      }),
    });
    const client = await IgnisClient.open(app.url());
    client.emit('authenticate', { name: 'ada', publicKey: 'client' });
    await client.next('connected');
    const service = app.app.get(WebSocketService);
    await Promise.all([service.broadcast({ event: 'first' }), service.broadcast({ event: 'second' })]);
    const heard = [await client.next(), await client.next()];
    expect(heard.map(({ data }) => (data as { event: string }).event)).toEqual(['first', 'second']);
    await app.close();
  },
  '`joinRoom` is in effect at once': joinsOnceAwaited,
  async 'any failure of `authenticateFn` is 4003'() {
    const closed = async (data: object): Promise<number> => {
      const client = await IgnisClient.open(ignis.url());
      client.emit('authenticate', data);
      return (await client.closed).code;
    };
    expect([await closed({}), await closed({ name: 'outage' })]).toEqual([4003, 1011]);
  },
  async 'a server that stops closes with 1001'() {
    const other = await startApp({ options: { protocol: 'event', redis: redis.url } });
    const client = await IgnisClient.open(other.url());
    await client.next('connected');
    await other.close();
    expect((await client.closed).code).toBe(1012);
  },
  async 'Redis channels `ws:broadcast`, `ws:room:...`, `ws:client:...`, `ws:user:...`'() {
    expect(await channels()).toEqual(expect.arrayContaining(['pxl:room:tea', 'pxl:broadcast']));
  },
  '`WebSocketDefaults.IDLE_TIMEOUT` is 60 s, of Bun'() {
    expect(WebSocketDefaults.IDLE_TIMEOUT).toBe(25);
    return Promise.resolve();
  },
  'binary frames are read as text': binaryFrames,
};

/** The options of an `event` endpoint that encrypts by callbacks of its own. */
function encrypting(
  callbacks: Partial<NonNullable<Exclude<PxlWebSocketModuleOptions['encryption'], boolean>>>,
): PxlWebSocketModuleOptions {
  return {
    protocol: 'event',
    auth: { authenticate },
    encryption: {
      handshake: () => ({ serverPublicKey: 'server', salt: 'salt' }),
      transform: ({ event, data }) => ({ event: 'encrypted', data: { event, data } }),
      open: ({ data }) => JSON.stringify(data),
      ...callbacks,
    },
  };
}

describe.each([
  ['coming-from-pxl.md', ofPxl],
  ['coming-from-ignis.md', ofIgnis],
])('%s', (page, differences) => {
  it('names what is tested here, row by row', () => {
    const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
    const [, table = ''] = text.split('## What differs, and why');
    const [, ...rows] = [...table.matchAll(/^\| ((?:[^|\\]|\\.)+?) \|/gm)].map(([, cell]) =>
      cell!.replaceAll("'", '’'),
    );
    expect(rows).toEqual(Object.keys(differences));
  });

  it.each(Object.entries(differences))('%s', (_row, holds) => holds());
});
