import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientManager, WebSocketService, WsClient, WsError, WsRoute } from 'nestjs-pxl-websocket';
import { concat, of, range, Subject, throwError } from 'rxjs';
import { WebSocketClientError, type WebSocketClient, type WebSocketClientOptions } from '../../lib/client/index.js';
import { ManualClientRuntime } from '../support/manual-client-runtime.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { startsOneApp, type TestApp } from '../support/test-app.js';
import { testsClients, type TestedClient } from '../support/test-clients.js';
import { until } from '../support/until.js';

const start = startsOneApp();
const newClient = testsClients();
let server: ScriptedServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

class Gateway {
  static readonly ticks = new Subject<number>();

  @WsRoute('test', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('test', 'nothing')
  nothing(): void {}

  @WsRoute('test', 'fail')
  fail(): never {
    throw new WsError('NO_SUCH_GAME', 'There is no such game.', { details: { game: 7 }, retryable: true });
  }

  @WsRoute('test', 'many')
  many(_client: WsClient, data: unknown): unknown {
    return of(1, 2, data);
  }

  @WsRoute('test', 'burst')
  burst(): unknown {
    return range(0, 5_000);
  }

  @WsRoute('test', 'breaks')
  breaks(): unknown {
    return concat(
      of(1),
      throwError(() => new WsError('GONE', 'It broke.')),
    );
  }

  @WsRoute('test', 'ticks')
  ticks(): unknown {
    return Gateway.ticks;
  }
}

/** The codes and sentences that promises reject with. */
async function refusalOf(promise: Promise<unknown>): Promise<WebSocketClientError> {
  const error: unknown = await promise.then(
    () => 'it resolved',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WebSocketClientError);
  return error as WebSocketClientError;
}

async function collect(values: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('with a server of the library,', () => {
  let app: TestApp;
  let tested: TestedClient;
  let client: WebSocketClient;
  let ticking: NodeJS.Timeout;

  afterEach(() => clearInterval(ticking));
  beforeEach(async () => {
    ticking = setInterval(() => Gateway.ticks.next(7), 5);
    app = await start({ providers: [Gateway] });
    tested = newClient(app.url());
    ({ client } = tested);
    await client.connect();
  });

  const onServer = (): WsClient =>
    app.app.get(ClientManager).getClient({ clientId: client.clientId!, requireWs: true })!;

  it('a request resolves with the answer, many at a time', async () => {
    expect(await client.request('test', 'echo', { a: [1, null] })).toEqual({ a: [1, null] });
    expect(await client.request('test', 'nothing')).toBeNull();
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    expect(await Promise.all(numbers.map((number) => client.request('test', 'echo', number)))).toEqual(numbers);
  });

  it("a request rejects with the server's code, sentence and details", async () => {
    expect(await refusalOf(client.request('test', 'fail'))).toMatchObject({
      name: 'WebSocketClientError',
      code: 'NO_SUCH_GAME',
      message: 'There is no such game.',
      retryable: true,
      details: { game: 7 },
    });
    expect(await refusalOf(client.request('no', 'such'))).toMatchObject({ code: 'UNKNOWN_ROUTE', retryable: false });
  });

  it('what has no JSON form is refused where it stands, and nothing is sent', async () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const data of [cycle, 1n, () => 1, Symbol('s')]) {
      expect(await refusalOf(client.request('test', 'echo', data))).toMatchObject({ code: 'BAD_MESSAGE' });
      expect(() => client.send('test', 'echo', data)).toThrow('The message has no JSON form.');
      expect(() => client.sendClientMessage(data)).toThrow('The message has no JSON form.');
    }
    for (const [type, action] of [
      ['', 'a'],
      ['a', ''],
      ['a:b', 'c'],
      ['a'.repeat(65), 'b'],
    ] as const) {
      expect(() => client.send(type, action)).toThrow('The message has no type or action.');
    }
    expect(await client.request('test', 'echo', 'the connection is fine')).toBe('the connection is fine');
  });

  it('a stream yields what comes, and ends', async () => {
    expect(await collect(client.stream('test', 'many', { n: 3 }))).toEqual([1, 2, { n: 3 }]);
    const stream = client.stream('test', 'many');
    expect(await Promise.all([stream.next(), stream.next(), stream.next(), stream.next(), stream.next()])).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: false, value: null },
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  it('a stream yields all of a burst to a reader that keeps up', async () => {
    expect(await collect(client.stream('test', 'burst'))).toEqual(Array.from({ length: 5_000 }, (_, at) => at));
  });

  it('a stream that breaks yields what came before', async () => {
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const value of client.stream('test', 'breaks')) seen.push(value);
    })();
    expect(await refusalOf(reading)).toMatchObject({ code: 'GONE' });
    expect(seen).toEqual([1]);
  });

  it('leaving a stream cancels it at the server', async () => {
    for await (const value of client.stream('test', 'ticks')) {
      expect(value).toBe(7);
      break;
    }
    await until('nobody listens', () => !Gateway.ticks.observed);
    clearInterval(ticking);

    const stream = client.stream('test', 'ticks');
    const next = stream.next();
    await until('it has begun', () => Gateway.ticks.observed);
    expect(await stream.return?.()).toEqual({ done: true, value: undefined });
    expect(await next).toEqual({ done: true, value: undefined });
    await until('nobody listens', () => !Gateway.ticks.observed);

    const controller = new AbortController();
    const aborted = client.stream('test', 'ticks', undefined, { signal: controller.signal }).next();
    await until('it has begun', () => Gateway.ticks.observed);
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await until('nobody listens', () => !Gateway.ticks.observed);
  });
  it('a stream begins with its first reader only', async () => {
    const stream = client.stream('test', 'ticks');
    expect(await client.request('test', 'echo', 1)).toBe(1);
    expect(Gateway.ticks.observed).toBe(false);
    expect(await stream.return?.()).toEqual({ done: true, value: undefined });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(Gateway.ticks.observed).toBe(false);
  });

  it('a handler hears what the server says, until it is taken away', async () => {
    const sockets = app.app.get(WebSocketService);
    const heard: unknown[] = [];
    const stop = client.on('chat', 'message', (data, message) => heard.push(['on', data, message.type]));
    client.on('event', 'plain', (data) => heard.push(['plain', data]));
    const stopAny = client.onAny(({ type, action, data }) => heard.push(['any', type, action, data]));
    await sockets.broadcast({ type: 'chat', action: 'message', data: 1 });
    await sockets.broadcast({ event: 'plain', data: 2 });
    await until(() => heard.length === 4);
    stop();
    stop();
    stopAny();
    await sockets.broadcast({ type: 'chat', action: 'message', data: 3 });
    await sockets.broadcast({ event: 'plain', data: 4 });
    await until(() => heard.length === 5);
    expect(heard).toEqual([
      ['on', 1, 'chat'],
      ['any', 'chat', 'message', 1],
      ['plain', 2],
      ['any', 'event', 'plain', 2],
      ['plain', 4],
    ]);
  });

  it('a handler hears one message, and is taken away by its names, by itself or with all others', async () => {
    const sockets = app.app.get(WebSocketService);
    const heard: string[] = [];
    const first = (data: unknown) => heard.push(`first ${String(data)}`);
    const second = (data: unknown) => heard.push(`second ${String(data)}`);
    client.on('a', 'b', first);
    client.on('a', 'b', first);
    client.on('a', 'b', second);
    client.once('a', 'b', (data) => heard.push(`once ${String(data)}`));
    client.once('a', 'b', first);
    client.on('a', 'c', second);
    client.once('a', 'c', second)();
    client.off('a', 'b', first);
    for (const data of [1, 2]) await sockets.broadcast({ type: 'a', action: 'b', data });
    await until(() => heard.length === 3);
    client.off('a', 'b');
    await sockets.broadcast({ type: 'a', action: 'b', data: 3 });
    await sockets.broadcast({ type: 'a', action: 'c', data: 4 });
    await until(() => heard.length === 4);
    client.off();
    client.on('a', 'd', () => heard.push('end'));
    await sockets.broadcast({ type: 'a', action: 'c', data: 5 });
    await sockets.broadcast({ type: 'a', action: 'd' });
    await until(() => heard.includes('end'));
    expect(heard).toEqual(['second 1', 'once 1', 'second 2', 'second 4', 'end']);
  });

  it('a handler that throws, or rejects, stops no other', async () => {
    const heard: unknown[] = [];
    client.on('a', 'b', () => {
      throw new Error('thrown');
    });
    client.on('a', 'b', () => Promise.reject(new Error('rejected')));
    client.on('a', 'b', (data) => heard.push(data));
    client.onState(() => {
      throw new Error('in a listener');
    });
    await app.app.get(WebSocketService).broadcast({ type: 'a', action: 'b', data: 1 });
    await until(() => tested.errors.length === 2);
    expect([heard, tested.errors.map((error) => (error as Error).message)]).toEqual([[1], ['thrown', 'rejected']]);
    client.disconnect();
    expect(tested.errors).toHaveLength(3);
  });

  it('a handler that is added or taken away by another one counts from the next message on', async () => {
    const heard: string[] = [];
    const stop = client.on('a', 'b', () => {
      heard.push('first');
      stop();
      client.on('a', 'b', () => heard.push('third'));
    });
    client.on('a', 'b', () => heard.push('second'));
    const sockets = app.app.get(WebSocketService);
    await sockets.broadcast({ type: 'a', action: 'b' });
    await sockets.broadcast({ type: 'a', action: 'b' });
    await until(() => heard.length === 4);
    expect(heard).toEqual(['first', 'second', 'second', 'third']);
  });

  it("what the server asks is answered by the route's handler", async () => {
    client.handle('user', 'confirm', async (data) => ({ heard: data }));
    client.handle('user', 'refuse', () => {
      throw new WebSocketClientError('BUSY', 'Not now.');
    });
    client.handle('user', 'break', () => {
      throw new Error('a secret of the page');
    });
    client.handle('user', 'nothing', () => undefined);
    const ask = (action: string) => onServer().call({ type: 'user', action, data: 5 });
    const codeOf = (promise: Promise<unknown>) =>
      promise.catch((error: unknown) => error instanceof WsError && [error.code, error.cause]);
    expect(await ask('confirm')).toEqual({ heard: 5 });
    expect(await ask('nothing')).toBeNull();
    expect(await codeOf(ask('refuse'))).toEqual(['BUSY', new Error('Not now.')]);
    expect(await codeOf(ask('break'))).toEqual(['INTERNAL', new Error('The handler failed.')]);
    expect(tested.errors).toEqual([new Error('a secret of the page')]);
    expect(await codeOf(ask('unheard'))).toEqual(['UNKNOWN_ROUTE', new Error('There is no handler.')]);
  });

  it.each<[string, () => unknown]>([
    ['a BigInt', () => 5n],
    [
      'a cycle',
      () => {
        const cycle: unknown[] = [];
        cycle.push(cycle);
        return cycle;
      },
    ],
    ['a function', () => () => 1],
  ])('an answer that is %s is an INTERNAL error for the server, and reported here', async (_what, handler) => {
    client.handle('user', 'confirm', handler);
    const asking = onServer().call({ type: 'user', action: 'confirm' });
    await expect(asking).rejects.toMatchObject({ code: 'INTERNAL', cause: new Error('The handler failed.') });
    expect(tested.errors).toEqual([expect.any(TypeError)]);
    expect(await client.request('test', 'echo', 'on')).toBe('on');
  });

  it('there is one handler for a question', async () => {
    const stop = client.handle('user', 'confirm', () => 1);
    expect(() => client.handle('user', 'confirm', () => 2)).toThrow('There is a handler of user:confirm.');
    stop();
    client.handle('user', 'confirm', () => 3);
    stop();
    expect(await onServer().call({ type: 'user', action: 'confirm' })).toBe(3);
  });

  it('a message that asks for no answer is refused to onError', async () => {
    expect(client.send('no', 'such')).toBe(true);
    await until(() => tested.errors.length === 1);
    expect(tested.errors[0]).toMatchObject({ name: 'WebSocketClientError', code: 'UNKNOWN_ROUTE' });
  });

  it('any JSON value can be sent and heard as it is', async () => {
    const heard: unknown[] = [];
    const other = newClient(app.url(), { events: { onMessage: ({ data }) => heard.push(data) } });
    await other.client.connect();
    other.client.sendClientMessage({ type: 'test', action: 'echo', data: 1 });
    other.client.sendMessage({ type: 'test', action: 'echo', data: 2 });
    await until(() => heard.length === 2);
    app.app.get(ClientManager).getClient({ clientId: other.client.clientId!, requireWs: true })!.send([1, 2]);
    app.app.get(ClientManager).getClient({ clientId: other.client.clientId!, requireWs: true })!.send(null);
    await until(() => heard.length === 4);
    expect(heard).toEqual([
      { type: 'test', action: 'echo', response: 1 },
      { type: 'test', action: 'echo', response: 2 },
      [1, 2],
      null,
    ]);
    other.client.sendClientMessage({ type: 'test', action: 'echo', data: 3 }, true);
    await until(() => other.errors.length === 1);
    expect(other.errors[0]).toMatchObject({ code: 'BAD_MESSAGE' });
  });

  it('a handler has to be a function', () => {
    const nothing = undefined as unknown as () => void;
    for (const use of [
      () => client.on('a', 'b', nothing),
      () => client.once('a', 'b', nothing),
      () => client.onAny(nothing),
      () => client.onState(nothing),
      () => client.handle('a', 'b', nothing),
    ]) {
      expect(use).toThrow('The handler is no function.');
    }
  });
});

describe('a request', () => {
  /** A client that is connected, with its end of the connection. */
  async function connected(options: Partial<WebSocketClientOptions> = {}, clock?: ManualClientRuntime) {
    server = await ScriptedServer.start();
    const tested = newClient(server.url, options, clock);
    await tested.client.connect();
    return { ...tested, connection: await server.next() };
  }

  it.each([Infinity, 2 ** 31, 0, false] as const)('with the timeout %s waits for its answer', async (timeout) => {
    const { client, connection } = await connected();
    const patient = client.request('a', 'b', undefined, { timeout });
    const asked = await connection.next();
    expect(await refusalOf(client.request('a', 'c', undefined, { timeout: 20 }))).toMatchObject({ code: 'TIMEOUT' });
    connection.reply(asked, 'late');
    expect(await patient).toBe('late');
  });

  it("rejects with TIMEOUT in time, and its late answer is nobody else's", async () => {
    const clock = new ManualClientRuntime();
    const { client, connection, errors } = await connected({ requestTimeout: 1_000 }, clock);
    const [first, second, patient] = [
      client.request('a', 'b'),
      client.request('a', 'b', undefined, { timeout: 200 }),
      client.request('a', 'b', undefined, { timeout: false }),
    ];
    const late = await connection.next();
    const secondRefused = refusalOf(second);
    await clock.advance(200);
    expect(await secondRefused).toMatchObject({ code: 'TIMEOUT', retryable: true });
    const firstRefused = refusalOf(first);
    await clock.advance(800);
    await firstRefused;
    connection.reply(late, 'late');
    connection.refuse(late, 'FORBIDDEN');
    await connection.next();
    connection.reply(await connection.next(), 'at last');
    expect(await patient).toBe('at last');
    expect(errors).toEqual([]);
  });

  it('is given up with a signal, also before it was made', async () => {
    const { client, connection } = await connected();
    const controller = new AbortController();
    const request = client.request('a', 'b', undefined, { signal: controller.signal });
    await connection.next();
    controller.abort(new Error('changed my mind'));
    await expect(request).rejects.toThrow('changed my mind');
    await expect(client.request('a', 'b', undefined, { signal: controller.signal })).rejects.toThrow('changed my mind');
    await expect(client.stream('a', 'b', undefined, { signal: controller.signal }).next()).rejects.toThrow('changed');
    const after = client.request('a', 'c');
    connection.reply(await connection.next(), 1);
    expect(await after).toBe(1);
    expect(connection.heard).toEqual([]);
  });

  it('rejects when the connection is lost before the answer, streams too', async () => {
    const { client, connection } = await connected();
    const request = client.request('a', 'b');
    const stream = client.stream('a', 'b');
    const refused = Promise.all([refusalOf(request), refusalOf(stream.next())]);
    await connection.next();
    await connection.next();
    connection.socket.close(1001, 'Back soon.');
    for (const error of await refused) {
      expect(error).toMatchObject({ code: 'UNAVAILABLE', message: 'Back soon.', closeCode: 1001, retryable: true });
    }
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('rejects on disconnect()', async () => {
    const { client, connection } = await connected();
    const refused = refusalOf(client.request('a', 'b'));
    await connection.next();
    client.disconnect();
    expect(await refused).toMatchObject({ code: 'UNAVAILABLE', closeCode: 1000, retryable: false });
  });

  it('rejects at once before connect(), and when the client has stopped', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    expect(await refusalOf(client.request('a', 'b'))).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'There is no connection.',
    });
    expect(await refusalOf(client.stream('a', 'b').next())).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('with a stream that nobody reads is ended', async () => {
    const { client, connection } = await connected();
    const stream = client.stream('a', 'b');
    const first = stream.next();
    const asked = await connection.next();
    for (let number = 0; number <= 1_025; number++) connection.reply(asked, number);
    expect(await first).toEqual({ done: false, value: 0 });
    expect(await connection.next('cancel')).toMatchObject({ data: { id: asked.id } });
    for (let number = 1; number <= 1_025; number++) expect((await stream.next()).value).toBe(number);
    expect(await refusalOf(stream.next())).toMatchObject({ message: 'There is no reader.' });
  });
});

describe('what is sent while there is no connection', () => {
  it('waits, in order, and leaves once there is one', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    void client.connect();
    expect(client.send('a', 'first')).toBe(true);
    const request = client.request('a', 'second');
    expect(client.sendMessage([3])).toBe(true);
    const connection = await server.next();
    expect(await connection.next()).toMatchObject({ action: 'first' });
    connection.reply(await connection.next(), 'answered');
    expect(await connection.next()).toEqual([3]);
    expect(await request).toBe('answered');
  });

  it('is not sent twice, and not lost, when the connection goes while messages wait', async () => {
    server = await ScriptedServer.start();
    const { client, states } = newClient(server.url);
    await client.connect();
    const first = await server.next();
    // The server's close frame is under way: what is sent now would be lost.
    first.socket.close(1001);
    await until(() => client.state !== 'connected' || !client.send('a', 'probe'));
    client.send('a', 'later');
    const second = await server.next();
    expect(await second.next('later')).toMatchObject({ action: 'later' });
    expect(states.filter((state) => state === 'connected')).toHaveLength(2);
    expect(first.heard.concat(second.heard).filter(({ action }) => action === 'later')).toEqual([]);
  });

  it.each([
    ['dropOldest' as const, ['2', '3'], '1'],
    ['dropNewest' as const, ['1', '2'], '3'],
  ])('with %s: one too many costs the right one, which is reported', async (policy, kept, lost) => {
    const dropped: unknown[] = [];
    server = await ScriptedServer.start();
    const { client } = newClient(server.url, {
      queue: { limit: 2, policy },
      events: { onDropped: (event) => dropped.push(event) },
    });
    void client.connect();
    const taken = ['1', '2', '3'].map((action) => client.send('a', action, { n: action }));
    expect(taken).toEqual([true, true, policy === 'dropOldest']);
    expect(dropped).toEqual([{ message: { type: 'a', action: lost, data: { n: lost } }, reason: 'overflow' }]);
    const connection = await server.next();
    expect([(await connection.next()).action, (await connection.next()).action]).toEqual(kept);
  });

  it('with a full queue rejects the request that had to go', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url, { queue: { limit: 1 } });
    void client.connect();
    const first = refusalOf(client.request('a', '1'));
    const second = client.request('a', '2');
    expect(await first).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    const connection = await server.next();
    connection.reply(await connection.next(), 'two');
    expect(await second).toBe('two');
  });

  it('without a queue is refused at once', async () => {
    const dropped: unknown[] = [];
    server = await ScriptedServer.start();
    const { client } = newClient(server.url, { queue: false, events: { onDropped: (event) => dropped.push(event) } });
    const connecting = client.connect();
    expect(client.send('a', 'b')).toBe(false);
    expect(dropped).toEqual([{ message: { type: 'a', action: 'b', data: undefined }, reason: 'offline' }]);
    expect(await refusalOf(client.request('a', 'b'))).toMatchObject({ code: 'UNAVAILABLE' });
    await connecting;
  });

  it('is dropped and reported when the client stops', async () => {
    const dropped: unknown[] = [];
    server = await ScriptedServer.start((connection) => connection.socket.close(4506));
    const { client } = newClient(server.url, { events: { onDropped: ({ reason }) => dropped.push(reason) } });
    void client.connect();
    client.send('a', 'b');
    expect(await refusalOf(client.request('a', 'b'))).toMatchObject({ code: 'UNAVAILABLE', closeCode: 4506 });
    expect(dropped).toEqual(['disconnected']);
    expect(client.send('a', 'b')).toBe(false);
    expect(dropped).toEqual(['disconnected', 'disconnected']);
  });

  it('keeps no request that has been given up', async () => {
    server = await ScriptedServer.start();
    const { client } = newClient(server.url);
    void client.connect();
    const controller = new AbortController();
    const request = client.request('a', 'given-up', undefined, { signal: controller.signal });
    controller.abort();
    await expect(request).rejects.toBeDefined();
    client.send('a', 'kept');
    expect(await (await server.next()).next()).toMatchObject({ action: 'kept' });
  });
});

describe('on a server that tells its limits', () => {
  const limits = { maxPayload: 200, messagesPerSecond: 10, burst: 6, rooms: null };

  /** A client, whose clock a test turns. */
  async function paced(options: Partial<WebSocketClientOptions> = {}) {
    const clock = new ManualClientRuntime();
    server = await ScriptedServer.start((connection) => connection.welcome({ limits }));
    const dropped: unknown[] = [];
    const events = { onDropped: (event: unknown) => dropped.push(event) };
    const { client, errors } = newClient(server.url, { requestTimeout: false, events, ...options }, clock);
    await client.connect();
    return { client, clock, dropped, errors, server, connection: await server.next() };
  }

  it('messages leave no faster than it takes them, in their order; its own pongs wait for nothing', async () => {
    const { client, clock, connection } = await paced();
    for (let n = 0; n < 6; n++) client.send('a', String(n));
    for (let n = 0; n < 3; n++) expect((await connection.next()).action).toBe(String(n));
    connection.send({ type: 'system', action: 'ping' });
    expect((await connection.next()).action).toBe('pong');
    const start = clock.now();
    for (let n = 3; n < 6; n++) {
      while (!connection.heard.some(({ action }) => action === String(n))) {
        await clock.advance(10);
        expect(connection.heard.length).toBeLessThan(2);
      }
      await connection.next(String(n));
    }
    expect(clock.now() - start).toBeGreaterThan(300);
  });

  it('what waits for its turn is dropped and told where the queue is full, and where the client stops', async () => {
    const { client, dropped } = await paced({ queue: { limit: 1 } });
    const sent = Array.from({ length: 5 }, (_, n) => client.send('a', String(n)));
    const request = refusalOf(client.request('a', '5'));
    client.send('a', '6');
    expect(await request).toMatchObject({ code: 'UNAVAILABLE' });
    client.disconnect();
    expect(sent).toEqual([true, true, true, true, true]);
    expect(dropped).toMatchObject([
      { message: { action: '3' }, reason: 'overflow' },
      { message: { action: '4' }, reason: 'overflow' },
      { message: { action: '6' }, reason: 'disconnected' },
    ]);
  });

  it('what waits for its turn when the connection is lost leaves over the next one', async () => {
    const { client, clock, server, connection, dropped } = await paced();
    for (let n = 0; n < 6; n++) client.send('a', String(n));
    for (let n = 0; n < 3; n++) await connection.next(String(n));
    connection.socket.terminate();
    await until(() => client.state === 'reconnecting');
    await client.connect();
    const second = await server.next();
    for (let n = 3; n < 6; n++) expect((await second.next()).action).toBe(String(n));
    expect([dropped, clock.size]).toEqual([[], 0]);
  });

  it('one that is too large is refused where it stands, by its size and the limit, and nothing else ends', async () => {
    const { client, connection } = await paced();
    const sentence = /^The message has 2\d\d bytes, the server takes 200\.$/;
    expect(() => client.send('a', 'b', 'é'.repeat(90))).toThrow(sentence);
    expect(() => client.sendMessage('x'.repeat(200))).toThrow(sentence);
    await expect(client.stream('a', 'b', 'x'.repeat(200)).next()).rejects.toThrow(sentence);
    const refused = await refusalOf(client.request('a', 'b', 'x'.repeat(200)));
    expect([refused.code, refused.message]).toEqual(['BAD_MESSAGE', expect.stringMatching(sentence)]);
    client.handle('user', 'confirm', () => 'x'.repeat(200));
    connection.send({ type: 'user', action: 'confirm', callId: 7 });
    expect((await connection.next('answer')).data).toMatchObject({ callId: 7, error: { code: 'BAD_MESSAGE' } });
    expect(connection.heard).toEqual([]);
    expect(client.sendMessage('x'.repeat(198))).toBe(true);
    expect(await connection.next()).toBe('x'.repeat(198));
  });

  it('one that was too large before it was known is dropped and told', async () => {
    server = await ScriptedServer.start((connection) => connection.welcome({ limits }));
    const dropped: unknown[] = [];
    const { client } = newClient(server.url, { events: { onDropped: (event) => dropped.push(event) } });
    void client.connect();
    client.send('a', 'large', 'x'.repeat(200));
    const request = refusalOf(client.request('a', 'b', 'x'.repeat(200)));
    client.send('a', 'small');
    expect(await request).toMatchObject({ code: 'BAD_MESSAGE' });
    expect(dropped).toMatchObject([{ message: { action: 'large' }, reason: 'tooLarge' }]);
    expect((await (await server.next()).next()).action).toBe('small');
  });
});
