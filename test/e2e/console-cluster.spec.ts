import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ClientManager,
  WebSocketService,
  WsError,
  WsRoute,
  type PushAction,
  type PushData,
  type PushType,
  type WsClient,
} from 'nestjs-pxl-websocket';
import type { ConsoleContract } from 'nestjs-pxl-websocket/console';
import { LiveTraces } from '../../lib/clients/traces/live-traces.js';
import { CallAnswers } from '../../lib/server/coordination/call-answers.js';
import type { TraceEvent } from '../../lib/protocol/inspection.js';
import { Timings } from '../../lib/runtime/metrics/timings.js';
import { eventually } from '../../lib/testing/eventually.js';
import { HeaderGuard, LineLog, look, pageFolder, startConsole } from '../support/console-workers.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs } from '../support/url-identity.js';

class Gateway {
  @WsRoute('chat', 'send')
  send(_client: WsClient, data: { text: string }): string {
    if (data.text === '') throw new WsError('EMPTY', 'There is no text.');
    return 'sent';
  }
}

const SECRET = 'between you and me';

let redis: RedisServer;
let folder: Awaited<ReturnType<typeof pageFolder>>;
let near: TestApp;
let far: TestApp;
let page: TestClient<ConsoleContract>;
const guard = new HeaderGuard();
const log = new LineLog();

beforeAll(async () => {
  [redis, folder] = await Promise.all([RedisServer.start(), pageFolder()]);
  const start = (): Promise<TestApp> =>
    startConsole(
      { redis: redis.url },
      { guard, page: folder.page, allow: ['disconnect', 'leave', 'notice'] },
      { providers: [Gateway], logger: log },
    );
  [near, far] = await Promise.all([start(), start()]);
  const know = (app: TestApp): boolean => app.app.get(WebSocketService).getWebSocketHealth().cluster.workers === 2;
  await eventually('the workers know each other', () => know(near) && know(far));
});

afterEach(() => {
  log.lines.length = 0;
  guard.refuses = () => false;
});

afterAll(async () => {
  await Promise.all([near.close(), far.close()]);
  await Promise.all([redis.stop(), folder.remove()]);
});

/** The next push of this name. */
async function pushed<Type extends PushType<ConsoleContract>, Action extends PushAction<ConsoleContract, Type>>(
  from: TestClient<ConsoleContract>,
  type: Type,
  action: Action,
): Promise<PushData<ConsoleContract, Type, Action>> {
  return (await from.next(type, action)).data as PushData<ConsoleContract, Type, Action>;
}

const workerId = (app: TestApp): string => app.app.get(WebSocketService).getWebSocketHealth().workerId;

describe('The first look', () => {
  it('turns on what is measured, on all workers', async () => {
    const areOn = (): boolean[] => [near, far].map(({ app }) => app.get(Timings).isOn);
    expect(areOn()).toEqual([false, false]);
    page = await look(near);
    const { workers, history } = await page.request('live', 'watch');
    expect(areOn()).toEqual([true, true]);
    expect(history).toEqual([]);
    expect(workers.map(({ kind, workerId: id }) => [kind, id])).toEqual([
      ['known', workerId(near)],
      ['known', workerId(far)],
    ]);
    await page.request('live', 'unwatch');
  });
});

describe('Live samples', () => {
  it('tell what all workers do, as numbers per second', async () => {
    const clients = await Promise.all([near, far].map((app) => app.client()));
    const { workers } = await page.request('live', 'watch');
    expect(workers).toMatchObject(
      [near, far].map((app) => ({ workerId: workerId(app), state: 'serving', ready: true })),
    );
    for (const client of clients) {
      await client.request('chat', 'send', { text: 'x' });
      await client.request('chat', 'send', { text: '' }).catch(() => undefined);
    }
    await clients[0]!.close();
    const seen = { received: 0, errors: 0, closed: 0 };
    while (Object.values(seen).includes(0)) {
      const data = await pushed(page, 'live', 'sample');
      seen.received += data.rates?.received ?? 0;
      seen.errors += data.rates?.errorsByCode.EMPTY ?? 0;
      seen.closed += data.rates?.closesByCode['1000'] ?? 0;
      expect(data.workers).toMatchObject([{ kind: 'known', cpu: expect.any(Number) }, { kind: 'known' }]);
    }
    const { history } = await page.request('live', 'watch');
    expect(history.length).toBeGreaterThan(0);
    await page.request('live', 'unwatch');
    await clients[1]!.close();
  });

  it('have the routes of all workers with their times', async () => {
    const clients = await Promise.all([near, far].map((app) => app.client()));
    await page.request('live', 'watch');
    for (const client of clients) await client.request('chat', 'send', { text: 'x' });
    await clients[0]!.request('chat', 'send', { text: '' }).catch(() => undefined);
    const { routes, endpoints } = await page.request('routes', 'list');
    expect(endpoints).toMatchObject([{ path: '/ws', port: 0, protocol: 'pxl', connections: 2 }]);
    expect(endpoints[0]!.routes).toContain('chat:send');
    expect(routes.find(({ name }) => name === 'system:ping')).toMatchObject({ isOwn: true, sources: ['system.ping'] });
    const route = routes.find(({ name }) => name === 'chat:send')!;
    expect(route).toMatchObject({ sources: ['Gateway.send'], isOwn: false, p50: expect.any(Number) });
    // Perhaps with those of the test before: the times go on while somebody looks.
    expect(route.calls).toBeGreaterThanOrEqual(3);
    expect(route.errors).toBeGreaterThanOrEqual(1);
    expect(route.p99!).toBeGreaterThanOrEqual(route.p50!);
    await page.request('live', 'unwatch');
    await Promise.all(clients.map((client) => client.close()));
  });
});

describe('Lists', () => {
  let clients: TestClient[];

  beforeAll(async () => {
    const users = ['Ann', 'bob', 'carl', 'dora'];
    clients = await Promise.all(users.flatMap((userId) => [near, far].map((app) => connectAs(app, { userId }))));
    await Promise.all(
      clients.map(async (client, at) => {
        await client.join('lobby');
        if (at < 3) await client.join(`game-${at}`);
      }),
    );
  });

  afterAll(() => Promise.all(clients.map((client) => client.close())));

  it('come page by page, over all workers', async () => {
    const first = await page.request('rooms', 'list', { limit: 2 });
    expect(first).toMatchObject({
      items: [{ key: 'game-0', members: 1 }, { key: 'game-1' }],
      next: 'game-1',
      missing: [],
    });
    const second = await page.request('rooms', 'list', { limit: 2, cursor: first.next! });
    const workers = { [workerId(near)]: 4, [workerId(far)]: 4 };
    expect(second).toMatchObject({ items: [{ key: 'game-2' }, { key: 'lobby', name: 'lobby', members: 8, workers }] });
    expect(second.next).toBeNull();
    const users = await page.request('users', 'list', { limit: 3 });
    expect(users.items.map(({ userId, connections }) => [userId, connections])).toEqual([
      ['Ann', 2],
      ['bob', 2],
      ['carl', 2],
    ]);
  });

  it('come page by page, however long the names are', async () => {
    const names = ['long-1', 'long-2'].map((name) => name.padEnd(1_100, '-'));
    const long = await Promise.all(names.map((userId) => connectAs(far, { userId })));
    const { next } = await page.request('users', 'list', { search: 'long', limit: 1 });
    expect(next).toBe(names[0]);
    const second = await page.request('users', 'list', { search: 'long', limit: 1, cursor: next! });
    expect(second).toMatchObject({ items: [{ userId: names[1] }], next: null });
    expect((await page.request('clients', 'list', { userId: names[0]! })).items).toHaveLength(1);
    await Promise.all(long.map((client) => client.close()));
  });

  it('are searched, whatever the case', async () => {
    const names = async (search: string, match?: 'prefix'): Promise<string[]> =>
      (await page.request('rooms', 'list', { search, match })).items.map(({ key }) => key);
    expect(await names('OBB')).toEqual(['lobby']);
    expect(await names('obb', 'prefix')).toEqual([]);
    expect(await names('game', 'prefix')).toEqual(['game-0', 'game-1', 'game-2']);
    const { items } = await page.request('users', 'list', { search: 'AN' });
    expect(items).toMatchObject([{ userId: 'Ann' }]);
  });

  it('have the clients of a room and of a user, each once', async () => {
    const inRoom: string[] = [];
    let cursor: string | undefined;
    do {
      const part = await page.request('clients', 'list', { room: 'lobby', limit: 3, cursor });
      expect(part.items.length).toBeLessThanOrEqual(3);
      inRoom.push(...part.items.map(({ clientId }) => clientId));
      cursor = part.next ?? undefined;
    } while (cursor !== undefined);
    expect(inRoom).toEqual(clients.map(({ clientId }) => clientId).sort());
    const ofUser = await page.request('clients', 'list', { userId: 'bob' });
    expect(ofUser.items).toMatchObject([{ userId: 'bob' }, { userId: 'bob' }]);
    const found = await page.request('clients', 'list', { search: 'dora', room: 'lobby' });
    expect(found.items.map(({ userId }) => userId)).toEqual(['dora', 'dora']);
  });

  it('lead to one client of any worker, without what its token holds', async () => {
    const client = await far.client({ path: '/ws?userId=eve&email=eve@x', headers: { 'user-agent': 'Test/1' } });
    await client.join('lobby');
    const { clientId } = client;
    const report = await page.request('clients', 'get', { clientId });
    expect(report).toMatchObject({
      clientId,
      workerId: workerId(far),
      userId: 'eve',
      ip: '127.0.0.1',
      protocol: 'pxl.v1',
      state: 'authenticated',
      encrypted: false,
      upgrade: { userAgent: 'Test/1', params: {} },
      roomList: [{ key: 'lobby', name: 'lobby' }],
      outbox: { isOverBudget: false },
    });
    expect(JSON.stringify(report)).not.toContain('eve@x');
    await client.close();
    await eventually('it is gone', () => far.app.get(ClientManager).size === clients.length / 2);
    await expect(page.request('clients', 'get', { clientId })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('A trace', () => {
  it('follows a user on all workers, without what messages contain', async () => {
    const { traceId } = await page.request('trace', 'start', { subject: { kind: 'user', userId: 'tess' } });
    const client = await connectAs(far, { userId: 'tess' });
    await client.join('salon');
    await client.request('chat', 'send', { text: SECRET });
    await client.request('chat', 'send', { text: '' }).catch(() => undefined);
    await client.close();
    const kinds: string[] = [];
    while (!kinds.includes('disconnected')) {
      const data = await pushed(page, 'trace', 'events');
      expect(data).toMatchObject({ traceId, omitted: 0, missing: [] });
      expect(JSON.stringify(data)).not.toContain(SECRET);
      expect(data.events.every((event) => event.userId === 'tess' && event.workerId === workerId(far))).toBe(true);
      kinds.push(
        ...data.events.map(({ kind, name, room, code }) => [kind, room ?? name, code].filter(Boolean).join(' ')),
      );
      if (kinds.some((line) => line.startsWith('disconnected'))) kinds.push('disconnected');
    }
    for (const line of ['connected', 'joined salon', 'received chat:send', 'sent chat:send', 'answered chat:send']) {
      expect(kinds).toContain(line);
    }
    expect(kinds).toContain('failed chat:send EMPTY');
    expect(kinds).toContain('left salon');
    await page.request('trace', 'stop', { traceId });
    expect((await page.next('trace', 'ended')).data).toEqual({ traceId, reason: 'stopped' });
    const areOff = (): boolean => [near, far].every(({ app }) => !app.get(LiveTraces).isOn);
    await eventually('no worker follows anybody', areOff);
  });

  it('follows a room: who comes and goes, and what is sent to it', async () => {
    const { traceId } = await page.request('trace', 'start', { subject: { kind: 'room', room: 'den' } });
    const [one, two] = await Promise.all([near.client(), far.client()]);
    await Promise.all([one.join('den'), two.join('den')]);
    await near.app.get(WebSocketService).sendToRooms(['den'], { type: 'den', action: 'news', data: `${SECRET} ü` });
    const events: TraceEvent[] = [];
    const count = (kind: string): number => events.filter((event) => event.kind === kind).length;
    while (count('joined') < 2 || count('pushed') < 2) events.push(...(await pushed(page, 'trace', 'events')).events);
    expect(events.find(({ kind }) => kind === 'pushed')).toMatchObject({ name: 'den:news', recipients: 1, size: 61 });
    expect(JSON.stringify(events)).not.toContain(SECRET);
    await page.request('trace', 'stop', { traceId });
    await page.next('trace', 'ended');
    await Promise.all([one.close(), two.close()]);
  });

  it('is bounded: what comes too fast is counted', async () => {
    const client = await connectAs(near, { userId: 'fast' });
    const { traceId } = await page.request('trace', 'start', {
      subject: { kind: 'client', clientId: client.clientId },
    });
    for (let at = 0; at < 60; at++) client.send({ type: 'chat', action: 'send', id: at, data: { text: 'x' } });
    let [told, omitted] = [0, 0];
    while (told + omitted < 180) {
      const data = await pushed(page, 'trace', 'events');
      told += data.events.length;
      omitted += data.omitted;
    }
    expect(omitted).toBeGreaterThan(0);
    await page.request('trace', 'stop', { traceId });
    await page.next('trace', 'ended');
    const subject = { kind: 'client', clientId: client.clientId } as const;
    for (let at = 0; at < 3; at++) await page.request('trace', 'start', { subject });
    await expect(page.request('trace', 'start', { subject })).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await expect(page.request('trace', 'start', { subject, seconds: 301 })).rejects.toMatchObject({
      code: 'BAD_MESSAGE',
    });
    await client.close();
  });
});

describe('An action', () => {
  const lineOf = (start: string): string | undefined => log.lines.find((line) => line.startsWith(start));

  it('reaches a client of another worker, and is logged', async () => {
    const client = await connectAs(far, { userId: 'mallory' });
    await client.join('lobby');
    const target = { kind: 'client', clientId: client.clientId } as const;
    await page.request('action', 'notice', { target, text: 'Maintenance at noon.' });
    expect((await client.next('console', 'notice')).data).toEqual({ text: 'Maintenance at noon.' });
    await page.request('action', 'notice', { target, text: 'ü'.repeat(1_000) });
    expect((await client.next('console', 'notice')).data).toEqual({ text: 'ü'.repeat(1_000) });
    await page.request('action', 'leave', { target, room: 'lobby' });
    expect((await client.next('room', 'left')).data).toMatchObject({ roomName: 'lobby' });
    await page.request('action', 'disconnect', { target: { kind: 'user', userId: 'mallory' }, reason: 'spam' });
    expect(await client.closed).toEqual({ code: 4506, reason: 'spam' });
    expect(log.lines.filter((line) => line.startsWith('Console: done for'))).toEqual([
      `Console: done for "ada" at 127.0.0.1: notice client "${client.clientId}".`,
      `Console: done for "ada" at 127.0.0.1: notice client "${client.clientId}".`,
      `Console: done for "ada" at 127.0.0.1: leave client "${client.clientId}", room "lobby".`,
      'Console: done for "ada" at 127.0.0.1: disconnect user "mallory".',
    ]);
    expect(guard.asked).toContainEqual({ kind: 'action', action: 'leave', target, room: 'lobby' });
  });

  it('forges no line of the log by a name', async () => {
    const userId = 'a\nb\u2028c\u009b31md';
    await page.request('action', 'disconnect', { target: { kind: 'user', userId } });
    expect(log.lines).toEqual([
      String.raw`Console: done for "ada" at 127.0.0.1: disconnect user "a\nb\u2028c\u009b31md".`,
    ]);
  });

  it('is refused that is not allowed, or that the guard refuses, and that is logged too', async () => {
    const client = await connectAs(far, { userId: 'victor' });
    const denied = page.request('action', 'revoke', { userId: 'victor' });
    await expect(denied).rejects.toMatchObject({ code: 'FORBIDDEN', details: { by: 'allow' } });
    expect(lineOf('Console: denied by the option allow')).toBe(
      'Console: denied by the option allow to "ada" at 127.0.0.1: revoke user "victor".',
    );
    guard.refuses = (access) => access.kind === 'action' && access.action === 'disconnect';
    const target = { kind: 'client', clientId: client.clientId } as const;
    const refused = page.request('action', 'disconnect', { target });
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN', details: { by: 'guard' } });
    expect(lineOf('Console: denied by the guard')).toContain(`disconnect client "${client.clientId}"`);
    const wrong = page.request('action', 'notice', { target, text: '' });
    await expect(wrong).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    expect(await client.request('chat', 'send', { text: 'still here' })).toBe('sent');
    await client.close();
  });
});

describe('A worker of an older version', () => {
  it('is shown as such, and is missing in what it cannot tell', async () => {
    const answer = (): never => {
      throw new WsError('UNKNOWN_ROUTE', 'This worker does not know the call.');
    };
    const old = await startApp({
      options: { redis: redis.url },
      override: (builder) => builder.overrideProvider(CallAnswers).useValue({ answer }),
      logger: false,
    });
    try {
      const isKnown = (): boolean => near.app.get(WebSocketService).getWebSocketHealth().cluster.workers === 3;
      await eventually('it is known', isKnown);
      const { workers } = await page.request('live', 'watch');
      expect(workers).toContainEqual({ kind: 'older', workerId: workerId(old) });
      expect((await page.request('rooms', 'list', {})).missing).toEqual([workerId(old)]);
      await page.request('live', 'unwatch');
    } finally {
      await old.close();
    }
  });
});

describe('With payloads', () => {
  it('a client and its messages are told whole, but for what is secret', async () => {
    const options = { guard, page: folder.page, payloads: true, allow: ['revoke'] } as const;
    const open = await startConsole({ redis: redis.url }, options, { providers: [Gateway], logger: log });
    try {
      const seeing = await look(open);
      const client = await open.client({ path: '/ws?userId=eve&email=eve@x' });
      const { clientId } = client;
      const report = await seeing.request('clients', 'get', { clientId });
      expect(report.user).toEqual({ email: 'eve@x' });
      await seeing.request('trace', 'start', { subject: { kind: 'user', userId: 'eve' } });
      await client.request('chat', 'send', { text: SECRET });
      await client.request('system', 'refresh', { token: 'a-token' }).catch(() => undefined);
      const events: TraceEvent[] = [];
      while (!events.some(({ name }) => name === 'system:refresh')) {
        events.push(...(await pushed(seeing, 'trace', 'events')).events);
      }
      expect(events.find(({ name }) => name === 'chat:send')!.payload).toContain(SECRET);
      expect(JSON.stringify(events)).not.toContain('a-token');
      await open.client({ path: '/ws?userId=eve', protocols: ['event.v1'] });
      const isWelcome = ({ name, kind }: TraceEvent): boolean => kind === 'sent' && name === 'system:connected';
      while (!events.some(isWelcome)) events.push(...(await pushed(seeing, 'trace', 'events')).events);
      expect(events.find(isWelcome)).not.toHaveProperty('payload');
      await seeing.request('action', 'revoke', { userId: 'eve' });
      await client.closed;
    } finally {
      await open.close();
    }
  });
});

describe('Without Redis', () => {
  it('names the workers of which nothing is told', async () => {
    const missing = [workerId(far)];
    const known = (): number => near.app.get(WebSocketService).getWebSocketHealth().cluster.workers;
    await eventually('the workers of other tests are forgotten', () => known() === 2);
    await redis.stop();
    await eventually('it is noticed', () => !near.app.get(WebSocketService).getWebSocketHealth().redis.connected);
    const other = await look(near);
    expect(await other.request('rooms', 'list', {})).toMatchObject({ missing });
    await other.request('trace', 'start', { subject: { kind: 'room', room: 'lobby' }, seconds: 1 });
    expect(await pushed(other, 'trace', 'events')).toMatchObject({ events: [], missing });
  });
});
