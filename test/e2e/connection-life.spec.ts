import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, Scope } from '@nestjs/common';
import { WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import {
  ClientManager,
  RoomManager,
  WebSocketService,
  WsClient,
  WsRoute,
  type WsAuthenticate,
} from 'nestjs-pxl-websocket';
import { WebSocket, type WebSocketServer as WsServer } from 'ws';
import { WebSocketClient } from '../../lib/client/index.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { timeOf } from '../../lib/testing/stall-watch.js';
import { EndpointRegistry } from '../../lib/transport/endpoint/endpoint.registry.js';
import { Diary } from '../support/diary.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { SeededRandom } from '../support/seeded-random.js';
import { encodeFrame, RawClient } from '../support/raw-client.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { upgradeAnswer, upgradeStatus } from '../support/upgrade-answer.js';

let app: TestApp;
let diary: Diary;

async function start(test: TestAppOptions): Promise<void> {
  diary = new Diary();
  app = await startApp(test);
}

afterEach(() => app.close());

/** A gateway that writes down what happens to it; each test gives it the hooks that it is about. */
function gateway(hooks: {
  connect?: (client: WsClient, request: IncomingMessage) => unknown;
  disconnect?: (client: WsClient, reason: string, code: number) => unknown;
}): new () => object {
  @WebSocketGateway()
  class Gateway {
    handleConnection(client: WsClient, request: IncomingMessage): unknown {
      return hooks.connect?.(client, request);
    }

    handleDisconnect(client: WsClient, reason: string, code: number): unknown {
      return hooks.disconnect?.(client, reason, code);
    }

    @WsRoute('number', 'note')
    note(_client: WsClient, data: unknown): string {
      diary.write(`message ${String(data)}`);
      return 'noted';
    }

    @WsRoute('client', 'close')
    close(client: WsClient): void {
      client.close(4777, 'enough');
    }
  }
  return Gateway;
}

describe.each(PLATFORMS)('A connection on %s', (platform) => {
  it('has its handleConnection finished before its first message is handled, and messages stay in order', async () => {
    const gate = new Gate();
    const connect = async (): Promise<void> => {
      diary.write('connecting');
      await gate.passed;
      diary.write('connected');
    };
    await start({ platform, providers: [gateway({ connect })] });
    const client = await app.client();
    for (let number = 1; number <= 5; number++) client.send({ type: 'number', action: 'note', data: number });
    await diary.until('connecting');
    await client.expectNothing(50);
    gate.open();
    for (let number = 1; number <= 5; number++) await client.next('number', 'note');
    expect(diary.entries).toEqual(['connecting', 'connected', ...[1, 2, 3, 4, 5].map((n) => `message ${n}`)]);
  });

  it('gives handleConnection the client and the upgrade request', async () => {
    const connect = (client: WsClient, request: IncomingMessage): void => {
      diary.write(
        `${client instanceof WsClient} ${client.clientId} ${request.url} ${String(request.headers['x-who'])}`,
      );
    };
    await start({ platform, providers: [gateway({ connect })] });
    const client = await TestClient.connect(app.url('/ws?a=1'), { headers: { 'x-who': 'ada' } });
    await diary.until(`true ${client.clientId} /ws?a=1 ada`);
    client.socket.terminate();
  });

  it('is disconnected once, with the code and reason that the client closed with', async () => {
    const disconnect = (_client: WsClient, reason: string, code: number): void => diary.write(`${code} ${reason}`);
    await start({ platform, providers: [gateway({ disconnect })] });
    const client = await app.client();
    client.socket.close(4321, 'bye');
    await diary.until('4321 bye');
    await client.closed;
    await app.close();
    expect(diary.entries).toEqual(['4321 bye']);
  });

  it('is disconnected with 1005 when the client closes without a code', async () => {
    const disconnect = (_client: WsClient, reason: string, code: number): void => diary.write(`${code} "${reason}"`);
    await start({ platform, providers: [gateway({ disconnect })] });
    (await app.client()).socket.close();
    await diary.until('1005 ""');
  });

  it('is disconnected with 1006 when the client vanishes', async () => {
    const disconnect = (_client: WsClient, reason: string, code: number): void => diary.write(`${code} "${reason}"`);
    await start({ platform, providers: [gateway({ disconnect })] });
    (await app.client()).socket.terminate();
    await diary.until('1006 ""');
  });

  it('is disconnected with the code of the server, though the client never answers its close frame', async () => {
    const disconnect = (_client: WsClient, reason: string, code: number): void => diary.write(`${code} ${reason}`);
    await start({ platform, providers: [gateway({ disconnect })] });
    const client = await RawClient.open(app.port);
    client.writeFrame({ payload: JSON.stringify({ type: 'client', action: 'close' }) });
    expect(await client.closeCode()).toBe(4777);
    client.reset();
    await diary.until('4777 enough');
    expect(diary.entries).toHaveLength(1);
  });

  it('is disconnected with 1002 when the client breaks the protocol', async () => {
    const disconnect = (_client: WsClient, _reason: string, code: number): void => diary.write(String(code));
    await start({ platform, providers: [gateway({ disconnect })] });
    const client = await RawClient.open(app.port);
    client.writeFrame({ payload: 'x', rsv: 4 });
    expect(await client.closeCode()).toBe(1002);
    client.end();
    await diary.until('1002');
  });

  it('has its handleDisconnect after handleConnection, also when the client left meanwhile', async () => {
    const gate = new Gate();
    const connect = async (client: WsClient): Promise<void> => {
      diary.write('connecting');
      await gate.passed;
      diary.write(`connected, joined ${await client.join('late')}`);
    };
    const disconnect = (): void => diary.write('disconnected');
    await start({ platform, providers: [gateway({ connect, disconnect })] });
    const client = await app.client();
    client.send({ type: 'number', action: 'note', data: 1 });
    await diary.until('connecting');
    await client.close();
    gate.open();
    await diary.until('disconnected');
    expect(diary.entries).toEqual(['connecting', 'connected, joined false', 'disconnected']);
    expect(app.app.get(RoomManager).rooms.size).toBe(0);
  });

  it('shows handleDisconnect its user and rooms, while registry and rooms know it no more', async () => {
    const disconnect = (client: WsClient): void => {
      const { userId } = client.user ?? {};
      const known = app.app.get(ClientManager).getClient(client) !== undefined;
      diary.write(
        `${userId} ${[...client.rooms].join()} ${client.roomName} ${client.state} ${known} ${client.send('x')}`,
      );
    };
    await start({
      platform,
      options: { auth: { authenticate: () => ({ userId: 7 }) }, rooms: { defaults: ['lobby', 'news'] } },
      providers: [gateway({ disconnect })],
    });
    await (await app.client()).close();
    await diary.until('7 lobby,news news disconnected false false');
    expect(app.app.get(RoomManager).rooms.size).toBe(0);
  });
});

describe('A client whose messages pile up behind a slow handler', () => {
  it('is closed at once when the application closes it, though its socket is not read', async () => {
    const gate = new Gate();
    @WebSocketGateway()
    class Slow {
      @WsRoute('slow', 'wait')
      wait(): Promise<void> {
        return gate.passed;
      }
    }
    await start({ options: { inbound: { queue: 2 } }, providers: [Slow] });
    const client = await app.client();
    for (let number = 1; number <= 50; number++) client.send({ type: 'slow', action: 'wait' });
    const [onServer] = app.app.get(ClientManager).getClients() as WsClient[];
    await until('the socket is paused', () => onServer!.ws.isPaused);
    onServer!.close(4777, 'enough');
    // Unread, its own close frame would wait 30 s.
    expect(await timeOf(() => client.closed)).toBeLessThan(15_000);
    gate.open();
    expect(await client.closed).toEqual({ code: 4777, reason: 'enough' });
  });
});

describe('Several gateways of one endpoint', () => {
  it('are told one after the other, the events of the module before them', async () => {
    @WebSocketGateway()
    class First {
      async handleConnection(): Promise<void> {
        await new Promise((resolve) => setImmediate(resolve));
        diary.write('first');
      }

      handleDisconnect(): void {
        diary.write('first gone');
      }
    }
    @WebSocketGateway()
    class Second {
      handleConnection(): void {
        diary.write('second');
      }

      handleDisconnect(): void {
        diary.write('second gone');
      }
    }
    @Injectable()
    class NoGateway {
      handleConnection(): void {
        diary.write('no gateway');
      }

      @WsRoute('no', 'gateway')
      route(): void {}
    }
    const onConnected = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      diary.write('module');
    };
    const onDisconnected = (): void => diary.write('module gone');
    await start({ options: { events: { onConnected, onDisconnected } }, providers: [First, NoGateway, Second] });
    await (await app.client()).close();
    await diary.until('second gone');
    expect(diary.entries).toEqual(['module', 'first', 'second', 'module gone', 'first gone', 'second gone']);
  });

  it('are both told where they share a path, and a request-scoped one too', async () => {
    @WebSocketGateway({ path: 'shared' })
    class First {
      handleConnection(): void {
        diary.write('first');
      }
    }
    @WebSocketGateway({ path: '/shared' })
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      readonly word = 'scoped';

      handleConnection(): void {
        diary.write(this.word);
      }
    }
    await start({ providers: [First, Scoped] });
    await app.client({ path: '/shared' });
    await diary.until('scoped');
    expect(diary.entries).toEqual(['first', 'scoped']);
  });
});

describe('@WebSocketServer()', () => {
  it('injects the ws server of the endpoint, with its clients and its connection event', async () => {
    @WebSocketGateway({ path: '/board' })
    class Board {
      @WebSocketServer()
      server!: WsServer;

      afterInit(server: WsServer): void {
        diary.write(`afterInit ${server === this.server}`);
        server.on('connection', (socket, request) => diary.write(`connection ${request.url} ${socket.readyState}`));
      }
    }
    diary = new Diary();
    app = await startApp({ providers: [Board] });
    const client = await app.client({ path: '/board' });
    await app.client({ path: '/ws' });
    await diary.until('connection');
    expect(diary.entries).toEqual(['afterInit true', 'connection /board 1']);
    const { server } = app.app.get(Board);
    expect(server.clients.size).toBe(1);
    expect(app.app.get(ClientManager).getClientId({ ws: [...server.clients][0]! })).toBe(client.clientId);
  });
});

describe('The ws server of an endpoint', () => {
  it('lets the application add to the 101, and tells it of the subprotocol and the extensions', async () => {
    app = await startApp({ options: { compression: true } });
    const server = app.app.get(EndpointRegistry).open(0, undefined).webSocketServer;
    server.on('headers', (lines, { url }) => lines.push(`X-Server: blue${url}`));
    const compressed = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };
    const offered = { 'Sec-WebSocket-Protocol': 'bearer.x, event.v1' };
    for (const more of [{}, compressed, offered, { ...compressed, ...offered }]) {
      const { status, headers } = await upgradeAnswer(app.port, more);
      expect([status, headers['x-server']]).toEqual([101, 'blue/ws']);
      expect(headers['sec-websocket-protocol']).toBe('Sec-WebSocket-Protocol' in more ? 'event.v1' : undefined);
      expect(headers['sec-websocket-extensions']?.split(';', 1)[0]).toBe(
        'Sec-WebSocket-Extensions' in more ? 'permessage-deflate' : undefined,
      );
    }
  });

  it('is closed when its last client has left, and refuses others from the call on', async () => {
    app = await startApp({ options: { compression: true } });
    const server = app.app.get(EndpointRegistry).open(0, undefined).webSocketServer;
    const clients = [await app.client({ perMessageDeflate: true }), await app.client({ perMessageDeflate: false })];
    expect([...server.clients].map(({ extensions }) => extensions)).toEqual(['permessage-deflate', '']);
    const told: unknown[] = [];
    const closed = new Promise((resolve) => server.close(resolve));
    server.on('close', () => told.push(server.clients.size));
    expect(await upgradeStatus(app.port)).toBe(503);
    for (const client of clients) {
      expect(told).toEqual([]);
      await client.close();
    }
    await closed;
    expect(told).toEqual([0]);
    await expect(new Promise((_resolve, reject) => server.close(reject))).rejects.toThrow('not running');
  });

  it('refuses those, too, who are being authenticated when the application closes it', async () => {
    const [asked, answered] = [new Gate(), new Gate()];
    const authenticate: WsAuthenticate = async () => {
      asked.open();
      await answered.passed;
      return { anonymous: true };
    };
    app = await startApp({ options: { auth: { authenticate } } });
    const server = app.app.get(EndpointRegistry).open(0, undefined).webSocketServer;
    const status = upgradeStatus(app.port);
    await asked.passed;
    await new Promise((resolve) => server.close(resolve));
    answered.open();
    expect([await status, server.clients.size]).toEqual([503, 0]);
  });
});

describe('A hook that fails', () => {
  const bad = (client: WsClient): boolean => client.request.url.includes('bad');
  const failures: [string, () => unknown, string][] = [
    [
      'throws',
      () => {
        throw new Error('no table');
      },
      'no table',
    ],
    ['rejects', () => Promise.reject(new Error('no table')), 'no table'],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- applications do this
    ['rejects with nothing', () => Promise.reject(undefined), 'undefined'],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- applications do this
    ['rejects with what has no text', () => Promise.reject(Object.create(null)), 'What was thrown has no text.'],
    ['never settles', () => new Promise(() => undefined), 'It took longer than timeouts.hook (50 ms).'],
  ];

  it.each(failures)('and %s costs that connection, and is reported', async (_how, fail, message) => {
    const logbook = new Logbook();
    const onError = ({ error, clientId }: { error: Error; clientId?: string }): void =>
      diary.write(`${clientId}: ${error.message}`);
    await start({
      logger: logbook,
      options: { timeouts: { hook: 50 }, events: { onError } },
      providers: [gateway({ connect: (client) => (bad(client) ? fail() : undefined) })],
    });
    const healthy = await app.client();
    const client = await app.client({ path: '/ws?bad' });
    client.send({ type: 'number', action: 'note', data: 'never handled' });
    expect(await client.closed).toEqual({ code: 1011, reason: 'connection could not be set up' });
    await diary.until(`${client.clientId}: ${message}`);
    expect(logbook.of('error')).toEqual([`Gateway.handleConnection failed. ${message}`]);
    expect(await healthy.request('number', 'note', 1)).toBe('noted');
    expect(diary.entries).not.toContain('message never handled');
  });

  it('and never settles is given up after timeouts.hook, not before', async () => {
    const clock = new ManualRuntime();
    await start({
      options: { timeouts: { hook: 3_000 }, heartbeat: false },
      override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
      providers: [gateway({ connect: () => new Promise(() => undefined), disconnect: () => diary.write('gone') })],
    });
    const client = await app.client();
    await clock.advance(2_999);
    expect(client.socket.readyState).toBe(1);
    await clock.advance(1);
    expect((await client.closed).code).toBe(1011);
    await diary.until('gone');
  });

  it('and fails after timeouts.hook is reported once more', async () => {
    const gate = new Gate();
    const connect = (): Promise<void> => gate.passed.then(() => Promise.reject(new Error('no table')));
    const onError = ({ error }: { error: Error }): void => diary.write(error.message);
    await start({ options: { timeouts: { hook: 20 }, events: { onError } }, providers: [gateway({ connect })] });
    const client = await app.client();
    expect((await client.closed).code).toBe(1011);
    gate.open();
    await diary.until('no table');
    expect(diary.entries.filter((entry) => entry.startsWith('It took longer'))).toHaveLength(1);
  });

  it('and comes too late keeps the gateways after it from being told', async () => {
    const gate = new Gate();
    @WebSocketGateway()
    class After {
      handleConnection(): void {
        diary.write('after');
      }
    }
    const connect = (): Promise<void> => gate.passed;
    const disconnect = (): void => diary.write('gone');
    await start({ options: { timeouts: { hook: 20 } }, providers: [gateway({ connect, disconnect }), After] });
    const client = await app.client();
    expect((await client.closed).code).toBe(1011);
    gate.open();
    await diary.until('gone');
    await client.expectNothing(20);
    expect(diary.entries).toEqual(['gone']);
  });

  it('is closed at once although its queue is full and its socket is not read', async () => {
    const gate = new Gate();
    await start({
      options: { inbound: { queue: 2 } },
      providers: [gateway({ connect: () => gate.passed.then(() => Promise.reject(new Error('no table'))) })],
    });
    const client = await app.client();
    for (let number = 1; number <= 50; number++) client.send({ type: 'number', action: 'note', data: number });
    const [onServer] = app.app.get(ClientManager).getClients() as WsClient[];
    await until('the socket is paused', () => onServer!.ws.isPaused);
    gate.open();
    expect((await client.closed).code).toBe(1011);
    expect(diary.entries).toEqual([]);
  });

  it.each(failures)('at the end of a connection and %s harms nobody', async (_how, fail, message) => {
    @WebSocketGateway()
    class Last {
      handleDisconnect(client: WsClient): void {
        diary.write(`last ${client.clientId}`);
      }
    }
    await start({
      options: { timeouts: { hook: 50 }, events: { onError: ({ error }) => diary.write(error.message) } },
      providers: [gateway({ disconnect: (client) => (bad(client) ? fail() : undefined) }), Last],
    });
    const healthy = await app.client();
    const client = await app.client({ path: '/ws?bad' });
    await client.close();
    await diary.until(`last ${client.clientId}`);
    expect(diary.entries).toContain(message);
    expect(await healthy.request('number', 'note', 1)).toBe('noted');
  });
});

describe('rooms.defaults', () => {
  it('are joined before the hooks', async () => {
    const connect = (client: WsClient): void => diary.write([...client.rooms].join());
    await start({ options: { rooms: { defaults: ['lobby', 'news'] } }, providers: [gateway({ connect })] });
    await app.client();
    await diary.until('lobby,news');
  });
});

describe('What an application sets with AsyncLocalStorage.enterWith', () => {
  const storage = new AsyncLocalStorage<string>();

  @WebSocketGateway()
  class Storing {
    async handleConnection(client: WsClient): Promise<void> {
      if (client.request.url.includes('connect')) storage.enterWith('connection');
      await Promise.resolve();
    }

    @WsRoute('store', 'read')
    read(): string {
      return storage.getStore() ?? 'nothing';
    }
  }

  const authenticate = (): { userId: string } => {
    storage.enterWith('authentication');
    return { userId: 'ada' };
  };
  const read = JSON.stringify({ type: 'store', action: 'read' });

  it.each([
    ['handleConnection', '/ws?connect', {}],
    ['events.onConnected', '/ws', { events: { onConnected: () => storage.enterWith('event') } }],
    ['auth.authenticate', '/ws', { auth: { authenticate } }],
    ['a late auth.authenticate', '/ws', { auth: { authenticate: async () => Promise.resolve().then(authenticate) } }],
  ])('in %s is not seen by the messages of that socket', async (_where, path, options) => {
    await start({ options, providers: [Storing] });
    // One message in the same packet as the upgrade, one at once, one later.
    const client = await RawClient.upgrading(app.port, path, { head: encodeFrame({ payload: read }) });
    expect((await client.response()).status).toBe(101);
    client.writeFrame({ payload: read });
    const replies: unknown[] = [];
    while (replies.length < 3) {
      const message = JSON.parse((await client.frame()).payload.toString()) as { type: string; response: unknown };
      if (message.type !== 'store') continue;
      replies.push(message.response);
      if (replies.length === 2) client.writeFrame({ payload: read });
    }
    expect(replies).toEqual(['nothing', 'nothing', 'nothing']);
    client.reset();
  });
});

describe('limits.connectionLifetime', () => {
  const LIFETIME = 100_000;
  const RESTART = { code: 1012, reason: '{"after":0}' };
  let clock: SeededRuntime;

  class SeededRuntime extends ManualRuntime {
    readonly #random = new SeededRandom(20);
    /** By how much the clock of the machine was set forward. */
    setBy = 0;

    override now(): number {
      return super.now() + this.setBy;
    }

    override random(): number {
      return this.#random.next();
    }
  }

  /** Its clients have no such limit. */
  @WebSocketGateway({ path: '/ever' })
  class Ever {}

  async function startClock(test: TestAppOptions = {}): Promise<void> {
    clock = new SeededRuntime();
    const options = {
      heartbeat: false as const,
      limits: { connectionLifetime: LIFETIME },
      endpoints: { '/ever': { limits: { connectionLifetime: false as const } } },
      shutdown: { timeout: 5_000 },
      ...test.options,
    };
    const providers = [Ever, ...(test.providers ?? [])];
    await start({ providers, options, override: (test) => test.overrideProvider(Runtime).useValue(clock) });
  }

  function closes(): number {
    const metrics = app.app.get(WebSocketService).getMetrics();
    return metrics.find(({ name }) => name === 'pxl_ws_lifetime_closes_total')!.value;
  }

  it('closes with 1012, evenly from a tenth before to a tenth after it; endpoints have their own', async () => {
    await startClock();
    const ever = await app.client({ path: '/ever' });
    const clients = await Promise.all(Array.from({ length: 80 }, () => app.client()));
    await clock.advance(0.9 * LIFETIME);
    expect(closes()).toBe(0);
    for (const [at, quarter] of [20, 40, 60, 80].entries()) {
      await clock.advance(0.05 * LIFETIME);
      expect(Math.abs(closes() - quarter)).toBeLessThan(at < 3 ? 12 : 1);
    }
    for (const client of clients) expect(await client.closed).toEqual(RESTART);
    await clock.advance(LIFETIME);
    await ever.request('system', 'ping');
  });

  it('closes them one after the other, too, where the clock was set forward beyond their time', async () => {
    await startClock();
    const clients = await Promise.all(Array.from({ length: 40 }, () => app.client()));
    clock.setBy = 2 * LIFETIME;
    await clock.advance(0.02 * LIFETIME);
    expect(closes()).toBeLessThan(12);
    await clock.advance(2 * LIFETIME);
    expect(closes()).toBe(40);
    for (const client of clients) expect(await client.closed).toEqual(RESTART);
  });

  it('lets running messages be answered, but not for longer than shutdown.timeout', async () => {
    const [gate, end] = [new Gate(), new Gate()];
    @WebSocketGateway()
    class Holding {
      @WsRoute('held', 'answer')
      async answer(): Promise<string> {
        await gate.passed;
        return 'answered';
      }

      @WsRoute('held', 'long')
      long(): Promise<void> {
        return end.passed;
      }
    }
    await startClock({ providers: [Holding] });
    const [answered, hung] = [await app.client(), await app.client()];
    const answers = [answered.request('held', 'answer'), answered.request('held', 'answer')];
    hung.send({ type: 'held', action: 'long' });
    await hung.request('system', 'ping');
    await clock.advance(1.1 * LIFETIME + 1_000);
    expect(closes()).toBe(0);
    gate.open();
    expect(await Promise.all(answers)).toEqual(['answered', 'answered']);
    expect(await answered.closed).toEqual(RESTART);
    expect(hung.socket.readyState).toBe(1);
    await clock.advance(6_000);
    expect(await hung.closed).toEqual(RESTART);
    end.open();
  });

  it('is noticed by nobody: the client comes back by itself, is the same member, and misses nothing', async () => {
    const rooms = { open: true, history: { size: 100, ttl: 600_000 }, presence: { interval: 20, grace: 5_000 } };
    await startClock({ options: { rooms } });
    const sockets = app.app.get(WebSocketService);
    const watcher = await app.client({ path: '/ever' });
    await watcher.request('system', 'joinRoom', { roomName: 'tea', presence: true });
    const client = new WebSocketClient({ url: app.url(), webSocket: WebSocket, reconnect: { minDelay: 20 } });
    const states: string[] = [];
    client.onState((change) => states.push('code' in change ? `${change.state} ${change.code}` : change.state));
    const lines: unknown[] = [];
    client.on('tea', 'line', (line) => lines.push(line));
    await client.connect();
    await client.join('tea');
    await clock.advance(20);
    expect(await watcher.next('room', 'presence')).toMatchObject({ data: { count: 2 } });
    const say = (line: number): Promise<unknown> =>
      sockets.sendToRooms(['tea'], { type: 'tea', action: 'line', data: line });
    await say(1);
    await clock.advance(1.1 * LIFETIME);
    await say(2);
    await until('it was away', () => states.includes('reconnecting 1012'));
    await say(3);
    await until('it is back, and has all', () => lines.length === 3);
    await say(4);
    await until('it hears what comes', () => lines.length === 4);
    expect(lines).toEqual([1, 2, 3, 4]);
    expect(states).toEqual(['connecting', 'connected', 'reconnecting 1012', 'connected']);
    await clock.advance(10_000);
    for (let line = 1; line <= 4; line++) await watcher.next('tea', 'line');
    await watcher.request('system', 'ping');
    expect(watcher.pending).toEqual([]);
    client.destroy();
  });
});
