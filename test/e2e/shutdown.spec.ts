import type { Server } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { NestContainer } from '@nestjs/core';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketServer,
  WebSocketService,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WebSocketHealth,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { timeOf } from '../../lib/testing/stall-watch.js';
import { ChildProgram } from '../support/child-program.js';
import { Diary } from '../support/diary.js';
import { Gate } from '../support/gate.js';
import { HubBroadcaster } from '../support/hub-broadcaster.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { NEST_MAJOR, NEST_VERSION } from '../support/nest-version.js';
import { RawClient } from '../support/raw-client.js';
import { PLATFORMS, startApp, type Platform, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';

const GOING_AWAY = { code: 1001, reason: 'server is shutting down' };
/** Milliseconds until the last of hundreds that come at once is in. */
const CROWDED = 20_000;

let app: TestApp;
let diary: Diary;
let gate: Gate;

/** A provider that an application ends in onModuleDestroy, like a database. */
@Injectable()
class Database implements OnModuleDestroy {
  isOpen = true;

  onModuleDestroy(): void {
    this.isOpen = false;
    diary.write('database closed');
  }
}

@Controller()
class Pages {
  constructor(private readonly database: Database) {}

  @Get('slow')
  async slow(): Promise<string> {
    diary.write('querying');
    await gate.passed;
    return `database ${this.database.isOpen ? 'open' : 'closed'}`;
  }
}

/** Has Nest begin with its hooks at once, as if the module had not asked it to wait. */
function undoTheWait(): void {
  if (NEST_MAJOR > 11) {
    Reflect.deleteProperty(app.app.getHttpAdapter(), 'beforeClose');
    return;
  }
  // Nest 11 waits for the applications whose modules are known to have asked: of this one it sees a copy.
  const container = Reflect.get(app.app, 'container') as NestContainer;
  const modules = new Map(container.getModules());
  Reflect.set(app.app, 'container', Object.create(container, { getModules: { value: () => modules } }));
}

@Injectable()
class OwnBus extends HubBroadcaster {
  constructor() {
    super('own', new Set());
  }
}

@WebSocketGateway()
class Gateway {
  constructor(private readonly database: Database) {}

  @WsRoute('slow', 'query')
  async query(): Promise<string> {
    diary.write('querying');
    await gate.passed;
    return `database ${this.database.isOpen ? 'open' : 'closed'}`;
  }

  @WsRoute('never', 'answer')
  never(): Promise<void> {
    diary.write('querying');
    return new Promise(() => undefined);
  }

  async handleDisconnect(_client: WsClient, reason: string, code: number): Promise<void> {
    diary.write(`disconnected ${code} ${reason}, database ${this.database.isOpen ? 'open' : 'closed'}`);
  }
}

async function start(
  platform: Platform,
  { runtime = new Runtime(), ...options }: PxlWebSocketModuleOptions & { runtime?: Runtime } = {},
): Promise<void> {
  diary = new Diary();
  gate = new Gate();
  app = await startApp({
    platform,
    options,
    providers: [Gateway, Database],
    controllers: [Pages],
    override: (builder) => builder.overrideProvider(Runtime).useValue(runtime),
  });
}

describe.each(PLATFORMS)('app.close() on %s', (platform) => {
  afterEach(() => app.close());

  it('tells every client 1001', async () => {
    await start(platform);
    const clients = await Promise.all(Array.from({ length: 500 }, () => app.client({ patience: CROWDED })));
    await app.app.close();
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(clients.map(() => GOING_AWAY));
    expect(diary.entries.filter((entry) => entry.startsWith('disconnected 1001'))).toHaveLength(500);
    expect(diary.entries.at(-1)).toBe('database closed');
  });

  it('lets a running handler finish while its providers live; what waits behind it is UNAVAILABLE', async () => {
    await start(platform);
    const client = await app.client();
    client.send({ type: 'slow', action: 'query', id: 'running' });
    client.send({ type: 'slow', action: 'query', id: 'waiting' });
    await diary.until('querying');
    const closing = app.app.close();
    expect(await client.next('error')).toMatchObject({
      id: 'waiting',
      data: { code: 'UNAVAILABLE', retryable: true, error: 'The server is shutting down.' },
    });
    client.send({ type: 'slow', action: 'query', id: 'new' });
    await expect(TestClient.open(app.url())).rejects.toThrow('503');
    gate.open();
    expect(await client.next('slow', 'query')).toMatchObject({ id: 'running', response: 'database open' });
    expect(await client.next('error')).toMatchObject({ id: 'new', data: { code: 'UNAVAILABLE' } });
    expect(await client.closed).toEqual(GOING_AWAY);
    await closing;
    expect(diary.entries).toEqual([
      'querying',
      `disconnected 1001 ${GOING_AWAY.reason}, database open`,
      'database closed',
    ]);
  });

  it('finds the providers ended: control run, the drain in onModuleDestroy', async () => {
    await start(platform);
    undoTheWait();
    const client = await app.client();
    client.send({ type: 'slow', action: 'query', id: 'running' });
    await diary.until('querying');
    const closing = app.app.close();
    await diary.until('database closed');
    gate.open();
    expect(await client.next('slow', 'query')).toMatchObject({ response: 'database closed' });
    await closing;
  });

  it('cuts a client that never answers the close frame, within shutdown.timeout', async () => {
    const runtime = new ManualRuntime();
    await start(platform, { runtime, shutdown: { timeout: 10_000 }, heartbeat: false });
    const client = await RawClient.open(app.port);
    const closing = app.app.close();
    expect(await client.closeCode()).toBe(1001);
    await runtime.advance(8_999);
    expect(diary.entries).toEqual([]);
    await runtime.advance(1_001);
    await closing;
    expect(diary.entries).toEqual([`disconnected 1001 ${GOING_AWAY.reason}, database open`, 'database closed']);
    client.reset();
  });

  it('does not wait longer than shutdown.timeout for a handler, whose client reads 1001 too', async () => {
    const runtime = new ManualRuntime();
    await start(platform, { runtime, shutdown: { timeout: 10_000 }, heartbeat: false });
    const client = await app.client();
    client.send({ type: 'never', action: 'answer' });
    await diary.until('querying');
    const closing = app.app.close();
    await expect(TestClient.open(app.url())).rejects.toThrow('503');
    await runtime.advance(8_999);
    expect(client.socket.readyState).toBe(1);
    await runtime.advance(1);
    expect(await client.closed).toEqual(GOING_AWAY);
    await diary.until('disconnected 1001');
    await runtime.advance(1_000);
    await closing;
    expect(diary.entries.at(-1)).toBe('database closed');
  });

  it('is not ready for shutdown.delay, serves everybody meanwhile, and has all of shutdown.timeout after it', async () => {
    const runtime = new ManualRuntime();
    await start(platform, { runtime, shutdown: { delay: 5_000, timeout: 10_000 }, heartbeat: false });
    Object.assign(app.app.getHttpAdapter(), { return503OnClosing: true }); // of Nest 12, for when the delay is over
    const health = (): WebSocketHealth => app.app.get(WebSocketService).getWebSocketHealth();
    const client = await app.client();
    const closing = app.app.close();
    await until('the worker is not ready', () => !health().ready);
    expect(health().status).toBe('healthy');
    await runtime.advance(4_999);
    const late = await app.client();
    gate.open();
    expect(await late.request('slow', 'query')).toBe('database open');
    expect(await (await fetch(`${app.origin}/slow`)).text()).toBe('database open');
    late.send({ type: 'never', action: 'answer' });
    await late.request('system', 'ping');
    expect(client.socket.readyState).toBe(1);
    await runtime.advance(1);
    expect(await client.closed).toEqual(GOING_AWAY);
    expect(health().status).toBe('unhealthy');
    await runtime.advance(8_999);
    expect(late.socket.readyState).toBe(1);
    await runtime.advance(1);
    expect(await late.closed).toEqual(GOING_AWAY);
    await runtime.advance(1_000);
    await closing;
  });

  it('does not wait for connections that have sent nothing', async () => {
    await start(platform);
    const silent = await Promise.all([RawClient.connect(app.port), RawClient.connect(app.port)]);
    const client = await app.client(); // accepted behind them
    await app.app.close();
    expect(await client.closed).toEqual(GOING_AWAY);
    for (const connection of silent) {
      await connection.ended;
      connection.end();
    }
  });

  it('lets a plain request be answered, and cuts one that never ends after shutdown.timeout', async () => {
    const runtime = new ManualRuntime();
    await start(platform, { runtime, shutdown: { timeout: 10_000 }, heartbeat: false });
    const server = app.app.getHttpServer() as Server;
    const hanging = await RawClient.connect(app.port);
    hanging.write('GET /slow HTTP/1.1\r\n');
    const answer = fetch(`${app.origin}/slow`);
    await diary.until('querying');
    const closing = app.app.close();
    await until('the server takes no connections', () => !server.listening);
    await runtime.advance(9_999);
    gate.open();
    // The Fastify of Nest 11.1 (5.11.0) cuts requests at its close, also without this module.
    const isCut = platform === 'fastify' && NEST_VERSION.startsWith('11.1.');
    if (isCut) await expect(answer).rejects.toThrow('fetch failed');
    else {
      expect(await (await answer).text()).toBe('database closed');
      expect(hanging.socket.readableEnded).toBe(false);
    }
    await runtime.advance(1);
    await closing;
    await hanging.ended;
    hanging.end();
  });

  it('does nothing the second time', async () => {
    await start(platform);
    const client = await app.client();
    await app.app.close();
    await app.app.close();
    expect(await client.closed).toEqual(GOING_AWAY);
    expect(diary.entries.filter((entry) => entry.startsWith('disconnected'))).toHaveLength(1);
  });

  it('leaves the HTTP adapter as it was', async () => {
    await start(platform);
    const adapter = app.app.getHttpAdapter();
    const prototype = Object.getPrototypeOf(adapter) as typeof adapter;
    if (NEST_MAJOR > 11) expect(adapter.beforeClose).not.toBe(prototype.beforeClose);
    await app.app.close();
    expect(Object.hasOwn(adapter, 'beforeClose')).toBe(false);
    expect(adapter.beforeClose).toBe(prototype.beforeClose);
    expect((app.app.getHttpServer() as Server).listenerCount('upgrade')).toBe(0);
  });

  it('tells 1012 with a bus of its own, which does not tell whether there are others', async () => {
    await start(platform, { broadcaster: OwnBus, shutdown: { reconnectSpread: 1 } });
    const client = await app.client();
    await app.app.close();
    expect(await client.closed).toEqual({ code: 1012, reason: '{"after":0}' });
  });

  it('closes those who do not read when to come back one after the other, and serves them until then', async () => {
    const runtime = new ManualRuntime();
    const shutdown = { timeout: 10_000, reconnectSpread: 200 };
    await start(platform, { runtime, broadcaster: OwnBus, shutdown, heartbeat: false });
    const reader = await app.client({ protocols: ['pxl.v1', 'pxl.refusals'] });
    const clients = await Promise.all(Array.from({ length: 20 }, () => app.client()));
    let closed = 0;
    for (const client of clients) void client.closed.then(() => closed++);
    gate.open();
    const closing = app.app.close();
    for (let passed = 0; passed < 100; passed += 20) {
      await until(() => closed === 1 + passed / 10);
      await runtime.advance(20);
    }
    const last = clients.find(({ socket }) => socket.readyState === 1)!;
    expect(await last.request('slow', 'query')).toBe('database open');
    await app.app.get(WebSocketService).broadcast({ type: 'news', action: 'flash' });
    await last.next('news', 'flash');
    await expect(TestClient.open(app.url())).rejects.toThrow('503');
    expect(reader.socket.readyState).toBe(1);
    for (let passed = 100; passed < 200; passed += 20) await runtime.advance(20);
    for (const client of clients) expect(await client.closed).toEqual({ code: 1012, reason: '{"after":0}' });
    const { code, reason } = await reader.closed;
    expect(code).toBe(1012);
    expect((JSON.parse(reason) as { after: number }).after).toBeLessThan(200);
    await closing;
  });

  it.each([
    ['few of them', 3, { timeout: 60_000, reconnectSpread: 30_000 }],
    ['many of them within half of a short shutdown.timeout', 100, { timeout: 1_000 }],
  ])('closes %s sooner', async (_which, count, shutdown) => {
    await start(platform, { broadcaster: OwnBus, shutdown });
    const clients = await Promise.all(Array.from({ length: count }, () => app.client()));
    expect(await timeOf(() => app.app.close())).toBeLessThan(2_000);
    for (const client of clients) expect((await client.closed).code).toBe(1012);
  });

  it('is what PxlWebSocketServer.stop() begins', async () => {
    await start(platform);
    const client = await app.client();
    await app.app.get(PxlWebSocketServer).stop();
    expect(await client.closed).toEqual(GOING_AWAY);
    await expect(TestClient.open(app.url())).rejects.toThrow('503');
    expect((await fetch(`${app.origin}/`)).status).toBe(404);
  });
});

describe('A process', () => {
  it.concurrent.each(PLATFORMS)('on %s ends by itself once the application is closed', async (platform) => {
    const program = new ChildProgram('closing-server', platform);
    expect(await program.next()).toEqual({ ends: [1001, 1001, 1001] });
    expect(await program.exited).toEqual({ code: 0, signal: null, errors: '' });
  });

  it.concurrent.each([
    ['and enableShutdownHooks() tells its clients 1001', 'hooks', 1001],
    ['without enableShutdownHooks() just ends', 'none', 1006],
  ])('with SIGTERM %s', async (_how, hooks, code) => {
    const program = new ChildProgram('signalled-server', hooks);
    const { port } = await program.next<{ port: number }>();
    const client = await TestClient.connect(`ws://127.0.0.1:${port}/ws`);
    program.signal('SIGTERM');
    expect((await client.closed).code).toBe(code);
    expect(await program.exited).toMatchObject({ code: null, signal: 'SIGTERM' });
  });
});
