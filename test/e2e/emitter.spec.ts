import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  PxlWebSocketEmitterModule,
  RoomManager,
  WebSocketEmitter,
  WebSocketService,
  type WebSocketEmitterOptions,
  type WsPosition,
  type WsRoomHistoryOptions,
} from 'nestjs-pxl-websocket';
import { ClusterEvents, type ClusterEvent } from '../../lib/cluster/events/cluster-events.js';
import { eventually } from '../../lib/testing/eventually.js';
import { readSources, resolveImport } from '../support/import-graph.js';
import { Logbook } from '../support/logbook.js';
import { RedisServer } from '../support/redis-server.js';
import { refused } from '../support/refused.js';
import { timeOf } from '../../lib/testing/stall-watch.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { urlIdentity } from '../support/url-identity.js';

let redis: RedisServer;
let workers: TestApp[];
let ada: TestClient;
let bob: TestClient;
const emitters: WebSocketEmitter[] = [];
/** Some rooms have history. */
const history = (roomName: string): WsRoomHistoryOptions | null =>
  roomName.startsWith('kept') ? { size: 10, ttl: 60_000 } : null;
const news = { type: 'news', action: 'flash', data: { text: 'Hello' } };

beforeAll(async () => {
  redis = await RedisServer.start();
  const options = { redis: redis.url, auth: { authenticate: urlIdentity }, rooms: { history } };
  workers = await Promise.all([startApp({ options }), startApp({ options })]);
  ada = await workers[0]!.client({ path: '/ws?userId=ada' });
  bob = await workers[1]!.client({ path: '/ws?userId=bob' });
  await workers[1]!.app.get(RoomManager).addClientToRoom({ clientId: bob.clientId, roomName: 'tea' });
});

afterEach(() => Promise.all(emitters.splice(0).map((emitter) => emitter.shutdown())));

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await redis.stop();
});

function create(options: Partial<WebSocketEmitterOptions> = {}): WebSocketEmitter {
  const emitter = new WebSocketEmitter({ redis: redis.url, ...options });
  emitters.push(emitter);
  return emitter;
}

async function expectReached(...reached: TestClient[]): Promise<void> {
  for (const client of reached) expect(await client.next()).toEqual(news);
  for (const client of [ada, bob]) {
    await client.request('system', 'ping');
    expect(client.pending).toEqual([]);
  }
}

describe('The emitter and rooms with history', () => {
  it('numbers what it sends to them, once for each key, reads it and clears it', async () => {
    const emitter = create({ rooms: { history } });
    const room = 'kept by the emitter';
    await workers[1]!.app.get(RoomManager).addClientToRoom({ clientId: bob.clientId, roomName: room });
    const { data } = (await bob.next()) as unknown as { data: { position: WsPosition } };
    const { epoch } = data.position;
    await emitter.toRoom({ room, ...news, idempotencyKey: 'one' });
    await emitter.toRoom({ room, ...news, idempotencyKey: 'one' });
    await emitter.toRoom({ room, event: 'tea', data: 'is ready', exclude: { users: ['ada'], rooms: ['nowhere'] } });
    expect(await bob.next()).toEqual({ ...news, room, offset: 1 });
    expect(await bob.next()).toMatchObject({ data: 'is ready', room, offset: 2 });
    await expect(emitter.getHistory(room, { since: { epoch, offset: 1 } })).resolves.toMatchObject({
      messages: [{ offset: 2, message: { data: 'is ready' } }],
      position: { epoch, offset: 2 },
      more: false,
    });
    await expect(emitter.getHistory(room, { limit: 1, reverse: true })).resolves.toMatchObject({ more: true });
    const cleared = await emitter.clearHistory(room);
    expect(cleared.epoch).not.toBe(epoch);
    expect(await bob.next()).toMatchObject({
      type: 'room',
      action: 'lost',
      data: { roomName: room, position: cleared },
    });
    await expect(emitter.getHistory(room)).resolves.toMatchObject({ messages: [], position: cleared });
  });

  it('sends to others as ever, and refuses what has no place there', async () => {
    const emitter = create({ rooms: { history } });
    await emitter.toRoom({ room: 'tea', ...news });
    await expectReached(bob);
    const bad = { code: 'BAD_MESSAGE' };
    await expect(emitter.toRoom({ room: 'tea', ...news, idempotencyKey: 'one' })).rejects.toMatchObject(bad);
    await expect(emitter.toRoom({ room: 'kept', ...news, idempotencyKey: '' })).rejects.toMatchObject(bad);
    await expect(emitter.toRoom({ room: 'kept', event: 'tea', data: () => undefined })).resolves.toBeUndefined();
    await expect(emitter.toRoom({ room: 'kept', data: 1 } as never)).rejects.toMatchObject(bad);
    await expect(emitter.getHistory('kept', { limit: -1 })).rejects.toMatchObject(bad);
    await expect(emitter.getHistory('tea')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(emitter.clearHistory('tea')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(create().getHistory('kept')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(() => create({ rooms: { history: { size: 0, ttl: 1 } } })).toThrow(/rooms.history/);
  });
});

describe('The emitter', () => {
  it('reaches one client', async () => {
    await create().toClient({ clientId: bob.clientId, ...news });
    await expectReached(bob);
  });

  it('reaches the sessions of a user', async () => {
    await create().toUser({ userId: 'ada', ...news });
    await expectReached(ada);
  });

  it('reaches the members of a room', async () => {
    await create().toRoom({ room: 'tea', ...news });
    await expectReached(bob);
  });

  it('and other workers name the room to clients of a worker with rooms.named', async () => {
    const options = { redis: redis.url, rooms: { named: true } };
    const naming = await startApp({ options });
    try {
      const cy = await naming.client();
      await naming.app.get(RoomManager).addClientToRoom({ clientId: cy.clientId, roomName: 'tea' });
      await create().toRoom({ room: 'tea', ...news });
      await expectReached(bob);
      expect(await cy.next()).toEqual({ ...news, room: 'tea' });
      const line = { ...news, room: 'mine' };
      await workers[0]!.app.get(WebSocketService).sendToRooms(['nowhere', 'tea'], line);
      expect(await bob.next()).toEqual(line);
      expect(await cy.next()).toEqual({ ...news, room: 'tea' });
    } finally {
      await naming.close();
    }
  });

  it('reaches everybody', async () => {
    await create().broadcast(news);
    await expectReached(ada, bob);
  });

  it('leaves out the clients that are excluded', async () => {
    const emitter = create();
    await emitter.broadcast({ ...news, exclude: [ada.clientId] });
    await expectReached(bob);
    await emitter.toRoom({ room: 'tea', ...news, exclude: [bob.clientId] });
    await emitter.toUser({ userId: 'ada', ...news, exclude: [ada.clientId] });
    await expectReached();
    await emitter.broadcast({ ...news, exclude: { users: ['ada', 7], clients: ['nobody'] } });
    await expectReached(bob);
    await emitter.broadcast({ ...news, exclude: { rooms: ['tea'] } });
    await expectReached(ada);
  });

  it.each([
    ['a pair of names', news],
    ['an event', { event: 'news:flash', data: news.data }],
  ])('sends %s in the shape that each client speaks', async (_what, message) => {
    const other = await TestClient.open(workers[1]!.url('/ws?userId=ada'), { protocols: ['event.v1'] });
    await other.take(({ event }) => event === 'connected');
    await create().toUser({ userId: 'ada', ...message });
    await expectReached(ada);
    expect(await other.next()).toEqual({ event: 'news:flash', data: news.data });
    await other.close();
  });

  it('reaches subscribers on every worker, and one of them is the one to act for it', async () => {
    const heard: ClusterEvent[][] = [];
    for (const { app } of workers) {
      const events: ClusterEvent[] = [];
      app.get(ClusterEvents).listen((event) => events.push(event));
      await app.get(ClusterEvents).acquire('stock');
      heard.push(events);
    }
    await create().publish('stock', { left: 3 });
    const of = (channel: string): ClusterEvent[] => heard.flat().filter((event) => event.channel === channel);
    await until('both have heard it', () => of('stock').length === 2);
    expect(of('stock').map(({ message }) => message)).toEqual([{ left: 3 }, { left: 3 }]);
    expect(of('stock').filter(({ isResponsible }) => isResponsible)).toHaveLength(1);
  });

  it('does not reach the workers of another prefix', async () => {
    await create({ prefix: 'other' }).broadcast(news);
    await expectReached();
  });

  it('rejects what has no JSON form, and goes on', async () => {
    const emitter = create();
    await expect(emitter.broadcast({ type: 'a', action: 'b', data: 1n })).rejects.toThrow(refused());
    await expect(emitter.publish('stock', undefined)).rejects.toThrow(refused());
    await emitter.broadcast(news);
    await expectReached(ada, bob);
  });

  it.each(['', '*', 'clientConnected', 'userDisconnected', 'WebSocket:Custom', 'a'.repeat(129)])(
    'refuses to publish on what is no channel of an application: %j',
    async (channel) => {
      await expect(create().publish(channel, 1)).rejects.toThrow(refused());
    },
  );

  const wrong: [method: 'toClient' | 'toUser' | 'toRoom' | 'broadcast', message: unknown][] = [
    ['toClient', news],
    ['toClient', { ...news, clientId: '' }],
    ['toClient', { ...news, clientId: 7 }],
    ['toClient', undefined],
    ['toUser', news],
    ['toUser', { ...news, userId: null }],
    ['toUser', { ...news, userId: NaN }],
    ['toUser', { ...news, userId: '' }],
    ['toUser', { ...news, userId: { id: 'ada' } }],
    ['toUser', null],
    ['toRoom', news],
    ['toRoom', { ...news, room: 7 }],
    ['toRoom', { ...news, room: ['tea'] }],
    ['toRoom', { ...news, room: 'tea', exclude: null }],
    ['toRoom', { ...news, room: 'tea', exclude: 'x' }],
    ['broadcast', { ...news, exclude: [7] }],
    ['broadcast', { ...news, exclude: { room: ['tea'] } }],
    ['broadcast', { ...news, exclude: { users: 'ada' } }],
    ['toUser', { ...news, userId: 'ada', where: ['x'] }],
    ['broadcast', { ...news, except: ['x'] }],
    ['broadcast', { data: 1 }],
    ['broadcast', { type: 'news', data: 1 }],
    ['toRoom', { ...news, room: 'tea', roomName: 'tea' }],
    ['broadcast', undefined],
    ['broadcast', 'news'],
    ['broadcast', [news]],
  ];

  it.each(wrong)('refuses, by a rejection, to send by %s what is not addressed: %j', async (method, message) => {
    const emitter = create();
    const send = emitter[method].bind(emitter) as (message: unknown) => Promise<void>;
    await expect(send(message)).rejects.toEqual(refused());
    await expectReached();
  });

  it('finds no client behind an id that is no id', async () => {
    await create().toClient({ clientId: '*', ...news });
    await expectReached();
  });
});

describe('An emitter without a Redis that answers', () => {
  const patience = 2 * 1_200;

  async function failureOf(send: () => Promise<void>): Promise<{ code: unknown; ms: number }> {
    let code: unknown;
    const sent = (): Promise<void> =>
      send().then(
        () => void (code = 'it resolved'),
        (error: unknown) => void (code = (error as { code?: unknown }).code),
      );
    const ms = await timeOf(sent);
    return { code, ms };
  }

  it('rejects in time when there is none', async () => {
    const emitter = create({ redis: 'redis://127.0.0.1:1' });
    for (const send of [() => emitter.configure(), () => emitter.broadcast(news), () => emitter.publish('a', 1)]) {
      const { code, ms } = await failureOf(send);
      expect(code).toBe('UNAVAILABLE');
      expect(ms).toBeLessThan(patience);
    }
  });

  it('rejects in time when it falls silent, and delivers nothing of that later', async () => {
    const proxy = await TcpProxy.before(redis.port);
    const emitter = create({ redis: `redis://127.0.0.1:${proxy.port}` });
    await emitter.configure();
    const connections = proxy.size;
    proxy.blackHole();
    const failures = await Promise.all(Array.from({ length: 20 }, () => failureOf(() => emitter.broadcast(news))));
    for (const { code, ms } of failures) {
      expect(code).toBe('UNAVAILABLE');
      expect(ms).toBeLessThan(patience);
    }
    await until('the network has seen the connection end', () => proxy.size < connections);
    proxy.heal();
    let code: unknown = 'UNAVAILABLE';
    while (code === 'UNAVAILABLE') {
      await new Promise(setImmediate);
      ({ code } = await failureOf(() => emitter.toUser({ userId: 'nobody', ...news })));
    }
    await expectReached();
    await emitter.shutdown();
    await proxy.close();
  });

  it('rejects in time when it falls silent once the connection stands, which has taken long', async () => {
    const proxy = await TcpProxy.before(redis.port);
    proxy.replies = 110;
    const emitter = create({ redis: `redis://127.0.0.1:${proxy.port}` });
    const begin = performance.now();
    const ready = emitter.configure();
    const sent = failureOf(() => emitter.broadcast(news));
    await ready;
    const connecting = performance.now() - begin;
    const connections = proxy.size;
    proxy.blackHole();
    const { code, ms } = await sent;
    expect(code).toBe('UNAVAILABLE');
    // Had Redis a second of its own to answer, it would take that much longer than the connection.
    expect(connecting).toBeGreaterThan(300);
    expect(ms).toBeLessThan(connecting + 950);
    await until('the network has seen the connection end', () => proxy.size < connections);
    proxy.heal();
    await eventually('the emitter is back', async () => {
      return (await failureOf(() => emitter.toUser({ userId: 'nobody', ...news }))).code === 'it resolved';
    });
    await expectReached();
    await emitter.shutdown();
    await proxy.close();
  });

  it('rejects what is sent after it was shut down', async () => {
    const emitter = create();
    await emitter.configure();
    await emitter.shutdown();
    await emitter.shutdown();
    expect((await failureOf(() => emitter.broadcast(news))).code).toBe('UNAVAILABLE');
  });
});

describe('limits.maxPushBytes of the emitter', () => {
  it('refuses what is larger for a client, and sends the rest', async () => {
    const emitter = create({ rooms: { history }, limits: { maxPushBytes: 1_024 } });
    const large = { ...news, data: { text: 'x'.repeat(1_024) } };
    for (const send of [
      () => emitter.toClient({ clientId: ada.clientId, ...large }),
      () => emitter.toUser({ userId: 'ada', ...large }),
      () => emitter.toRoom({ room: 'tea', ...large }),
      () => emitter.toRoom({ room: 'kept by the emitter', ...large }),
      () => emitter.broadcast(large),
    ]) {
      await expect(send()).rejects.toThrow(refused('TOO_LARGE'));
    }
    // Room for the name of the room, and for its frame in a page.
    const nearly = { ...news, data: { text: 'x'.repeat(1_024 - 100) } };
    await expect(emitter.toRoom({ room: 'tea', ...nearly })).rejects.toThrow(refused('TOO_LARGE'));
    await emitter.broadcast(news);
    await expectReached(ada, bob);
  });
});

describe('The options of the emitter', () => {
  it.each([
    [undefined, 'The options of WebSocketEmitter are an object'],
    [{}, 'redis'],
    [{ redis: 7 }, 'redis'],
    [{ redis: 'redis://localhost', prefix: 'a b' }, 'prefix'],
    [{ redis: 'redis://localhost', identifier: '' }, 'identifier'],
    [{ redis: 'redis://localhost', cluster: { secret: 'short' } }, 'cluster.secret'],
    [{ redis: 'redis://localhost', cluster: { lease: 1 } }, 'cluster.lease'],
    [{ redis: 'redis://localhost', cluster: { ignis: true, secret: 'x'.repeat(32) } }, 'cluster.ignis'],
    [{ redis: 'redis://localhost', cluster: { ignis: true }, prefix: 'ws' }, 'prefix'],
    [{ redis: 'redis://localhost', idenfitier: 'a' }, 'idenfitier'],
  ])('fail at once, by name: %j', (options, name) => {
    expect(() => new WebSocketEmitter(options as WebSocketEmitterOptions)).toThrow(name);
  });
});

it('is injected by PxlWebSocketEmitterModule, and closed with the application', async () => {
  @Injectable()
  class Reports {
    constructor(readonly emitter: WebSocketEmitter) {}
  }
  const module = await Test.createTestingModule({
    imports: [PxlWebSocketEmitterModule.forRootAsync({ useFactory: () => ({ redis: redis.url, log: undefined }) })],
    providers: [Reports],
  }).compile();
  const logger = new Logbook();
  module.useLogger(logger);
  await module.init();
  const { emitter } = module.get(Reports);
  await emitter.toUser({ userId: 'ada', ...news });
  await expectReached(ada);
  void emitter.publish('', 1);
  await eventually('a failure is in the log', () => logger.of('warn').length === 1);
  expect(logger.of('warn')[0]).toContain('WebSocketEmitter.publish failed, and nobody waited for it.');
  await module.close();
  await expect(emitter.broadcast(news)).rejects.toThrow('shut down');
});

it('needs no Nest: no module that its entry loads imports any of it', () => {
  const sources = new Map(readSources(process.cwd(), 'lib').map((file) => [file.path, file]));
  const loaded = new Set<string>();
  const packages = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const imported of sources.get(path)!.imports.filter(({ isTypeOnly }) => !isTypeOnly)) {
      const target = resolveImport(path, imported);
      if (target === undefined) packages.add(imported.specifier);
      else load(target);
    }
  };
  load('lib/emitter/index.ts');
  // The first is loaded where it is: it is an optional peer.
  const known = ['@opentelemetry/api', 'ioredis', 'node:async_hooks', 'node:crypto', 'node:net', 'node:util/types'];
  expect([...packages].sort()).toEqual(known);
});
