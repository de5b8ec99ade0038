import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  composeHandlers,
  defineWebSocketSubscriber,
  PxlWebSocketModule,
  PxlWebSocketServer,
  WebSocketRedisSubscriberEvent,
  WebSocketService,
  withRetry,
  WsError,
  type WebSocketSubscriberDefinition,
  type WebSocketSubscriberHandlerContext,
  type WebSocketSubscriberPredicate,
} from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Diary } from '../support/diary.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { refused } from '../support/refused.js';
import { startsOneApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { until } from '../support/until.js';

const start = startsOneApp();

/** Writes down what it hears. */
function listener(
  diary: Diary,
  name: string,
  more: Partial<WebSocketSubscriberDefinition>,
): WebSocketSubscriberDefinition {
  return {
    name,
    ...more,
    handle: ({ channel, message }) => diary.write(`${name}: ${channel} ${JSON.stringify(message)}`),
  };
}

function startWith(subscribers: WebSocketSubscriberDefinition[], rest: TestAppOptions = {}): Promise<TestApp> {
  const { options, ...more } = rest;
  return start({ ...more, options: { ...options, subscribers } });
}

function serviceOf({ app }: TestApp): WebSocketService {
  return app.get(WebSocketService);
}

describe('A subscriber', () => {
  it('hears what its own worker publishes, by every verb, and clients do not', async () => {
    const diary = new Diary();
    const app = await startWith([listener(diary, 'all', { channels: ['custom', 'sendMessage', 'orders'] })]);
    const client = await app.client();
    const server = app.app.get(PxlWebSocketServer);
    server.sendCustomMessage({ data: { status: 'online' } });
    server.sendMessage({ data: [1] });
    server.local.sendCustomMessage({ data: 'local' });
    await serviceOf(app).publish('orders', null);
    await diary.until('all: orders null');
    expect(diary.entries).toEqual([
      'all: custom {"status":"online"}',
      'all: sendMessage [1]',
      'all: custom "local"',
      'all: orders null',
    ]);
    await client.expectNothing(30);
  });

  it('gets the channel, the message, the server, the module reference, and null for Redis where there is none', async () => {
    @Injectable()
    class Orders {
      readonly count = 3;
    }
    const gate = new Gate<WebSocketSubscriberHandlerContext<unknown>>();
    const app = await startWith([{ channel: 'orders', handle: (context) => gate.open(context) }], {
      providers: [Orders],
    });
    await serviceOf(app).publish('orders', { id: 7 });
    const { channel, message, redis, redisInstance, moduleRef } = await gate.passed;
    expect({ channel, message, redis, redisInstance }).toEqual({
      channel: 'orders',
      message: { id: 7 },
      redis: null,
      redisInstance: null,
    });
    expect(moduleRef.get(Orders, { strict: false }).count).toBe(3);
  });

  it('gets the message as JSON carries it, whatever its sender does with it later', async () => {
    const diary = new Diary();
    const app = await startWith([listener(diary, 'a', { channel: 'custom' })]);
    const data = { at: new Date(0), nothing: undefined, list: [1] };
    app.app.get(PxlWebSocketServer).sendCustomMessage({ data });
    data.list.push(2);
    await diary.until('a: custom {"at":"1970-01-01T00:00:00.000Z","list":[1]}');
  });

  it('runs in a turn of its own: what has caused the event is over', async () => {
    const diary = new Diary();
    const app = await startWith([listener(diary, 'a', { channel: 'custom' })]);
    app.app.get(PxlWebSocketServer).sendCustomMessage({ data: 1 });
    await Promise.resolve();
    diary.write('sent');
    await diary.until('a: ');
    expect(diary.entries).toEqual(['sent', 'a: custom 1']);
  });

  it('sees nothing that its cause, or another handler, has set with AsyncLocalStorage', async () => {
    const storage = new AsyncLocalStorage<string>();
    const diary = new Diary();
    const look = ({ message }: WebSocketSubscriberHandlerContext): void => {
      diary.write(`${String(message)} sees ${storage.getStore() ?? 'nothing'}`);
      storage.enterWith('a handler');
    };
    const app = await startWith([
      { channel: 'custom', handle: look },
      { channel: 'custom', handle: look },
    ]);
    const server = app.app.get(PxlWebSocketServer);
    storage.run('a request', () => server.sendCustomMessage({ data: 1 }));
    server.sendCustomMessage({ data: 2 });
    await diary.until('2 ');
    expect(diary.entries).toEqual(['1 sees nothing', '1 sees nothing', '2 sees nothing', '2 sees nothing']);
  });

  it('keeps the this of its definition', async () => {
    const diary = new Diary();
    class Greeter implements WebSocketSubscriberDefinition {
      readonly channel = 'custom';
      readonly #greeting = 'hello';

      handle(): void {
        diary.write(this.#greeting);
      }
    }
    const app = await startWith([new Greeter()]);
    app.app.get(PxlWebSocketServer).sendCustomMessage({ data: 1 });
    await diary.until('hello');
  });

  it('works in an application without a server', async () => {
    const diary = new Diary();
    const subscribers = [listener(diary, 'a', { channel: 'orders' })];
    @Module({ imports: [PxlWebSocketModule.forRoot({ subscribers })] })
    class WorkerModule {}
    const context = await NestFactory.createApplicationContext(WorkerModule, { logger: false });
    await context.get(WebSocketService).publish('orders', 1);
    await context.close();
    expect(diary.entries).toEqual(['a: orders 1']);
  });

  it('is told nothing in an application that is switched off', async () => {
    const diary = new Diary();
    const app = await startWith([listener(diary, 'a', { channel: 'orders' })], { options: { enabled: false } });
    await serviceOf(app).publish('orders', 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(diary.entries).toEqual([]);
  });
});

describe('What a subscriber hears', () => {
  const cases: [string, Partial<WebSocketSubscriberDefinition>, string[]][] = [
    ['a channel', { channel: 'a:1' }, ['a:1']],
    ['several channels', { channels: ['a:1', 'b:1'] }, ['a:1', 'b:1']],
    ['every channel', { channel: '*' }, ['a:1', 'a:2', 'b:1']],
    ['every channel, by match', { match: '*' }, ['a:1', 'a:2', 'b:1']],
    ['a text', { match: 'b:1' }, ['b:1']],
    ['a RegExp', { match: /^a:/ }, ['a:1', 'a:2']],
    ['a RegExp with the flag g, each time', { match: /^a:/g }, ['a:1', 'a:2']],
    ['a RegExp with the flag y, each time', { match: /a/y }, ['a:1', 'a:2']],
    ['a predicate', { match: ({ message }) => message === 2 }, ['a:2']],
    ['any one of a list', { match: ['b:1', /:2$/, ({ message }) => message === 9] }, ['a:2', 'b:1']],
    ['a raw definition', { channels: ['b:1'], matchers: [/2$/] }, ['a:2', 'b:1']],
    ['a raw definition without channels', { matchers: [/2$/g, 'b:1'] }, ['a:2', 'b:1']],
  ];

  it.each(cases)('%s', async (_what, definition, expected) => {
    const diary = new Diary();
    const heard: string[] = [];
    const app = await startWith([
      { ...definition, handle: ({ channel }) => void heard.push(channel) },
      listener(diary, 'end', { channel: 'end', priority: -1 }),
    ]);
    const channels: [string, unknown][] = [
      ['a:1', 1],
      ['a:2', 2],
      ['b:1', 1],
    ];
    for (const [channel, message] of [...channels, ...channels]) await serviceOf(app).publish(channel, message);
    await serviceOf(app).publish('end', 0);
    await diary.until('end');
    expect(heard.filter((channel) => channel !== 'end')).toEqual([...expected, ...expected]);
  });

  it('is not what a predicate throws at, which is logged once', async () => {
    const logger = new Logbook();
    const diary = new Diary();
    const vip = defineWebSocketSubscriber<{ user: { isVip: boolean } }>({
      name: 'vip',
      match: [({ message }) => message.user.isVip, 'also'],
      handle: ({ channel }) => diary.write(channel),
    });
    const app = await startWith([vip], { logger });
    for (const message of [null, 7, {}, { user: { isVip: false } }]) await serviceOf(app).publish('orders', message);
    await serviceOf(app).publish('orders', { user: { isVip: true } });
    await serviceOf(app).publish('also', null);
    await diary.until('also');
    expect(diary.entries).toEqual(['orders', 'also']);
    expect(logger.of('error').filter((line) => line.includes('vip'))).toHaveLength(1);
  });

  it('is not what a predicate answers late, or answers something else than true', async () => {
    const diary = new Diary();
    const answers: unknown[] = ['yes', 1, Promise.resolve(true)];
    const predicates = answers.map((answer) => () => answer as boolean);
    const app = await startWith([
      { match: predicates, handle: () => diary.write('picked') },
      listener(diary, 'end', { channel: 'orders', priority: -1 }),
    ]);
    await serviceOf(app).publish('orders', 1);
    await diary.until('end');
    expect(diary.entries).not.toContain('picked');
  });

  it('is not what a predicate rejects, which is logged once, and does not end the process', async () => {
    const diary = new Diary();
    const logger = new Logbook();
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    process.on('unhandledRejection', note);
    const rejects: (context: WebSocketSubscriberHandlerContext) => unknown = async () => {
      await Promise.resolve();
      throw new Error('no ink');
    };
    const app = await startWith(
      [
        { name: 'vip', match: rejects as WebSocketSubscriberPredicate, handle: () => diary.write('picked') },
        listener(diary, 'end', { channel: 'orders', priority: -1 }),
      ],
      { logger },
    );
    for (const at of [1, 2]) await serviceOf(app).publish('orders', at);
    await diary.until('end: orders 2');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(uncaught).toEqual([]);
    expect(diary.entries).not.toContain('picked');
    expect(logger.of('error')).toEqual([
      'A predicate of the subscriber vip has failed, which picks no event. ' +
        'It returned a promise. A predicate returns true or false, and is not awaited.',
    ]);
  });
});

describe('publish', () => {
  const wrong: [string, unknown][] = [
    ['a name that is empty', ''],
    ['a name of more than 128 characters', 'a'.repeat(129)],
    ['*', '*'],
    ['no text', 7],
    ['a channel by which the library tells of clients', 'clientConnected'],
    ['a channel by which the library tells of users', 'userDisconnected'],
  ];

  it.each(wrong)('refuses %s', async (_what, channel) => {
    const app = await startWith([]);
    await expect(serviceOf(app).publish(channel as string, 1)).rejects.toEqual(refused());
  });

  it.each(Object.entries(WebSocketRedisSubscriberEvent))(
    "says the new name where it is given that of PXL's older edition: WebSocket:%s",
    async (event, channel) => {
      const app = await startWith([]);
      const publishing = serviceOf(app).publish(`WebSocket:${event}`, 1);
      await expect(publishing).rejects.toThrow(
        new WsError('BAD_MESSAGE', `The event WebSocket:${event} of PXL's older edition is called ${channel}.`),
      );
    },
  );

  it('takes channels of 128 characters, names that no edition has given, and the events that verbs publish', async () => {
    const diary = new Diary();
    const long = 'a'.repeat(128);
    const own = 'WebSocket:Own';
    const app = await startWith([listener(diary, 'a', { channels: [long, own, 'custom'] })]);
    for (const channel of [long, own, 'custom']) await serviceOf(app).publish(channel, 1);
    await diary.until('a: custom 1');
    expect(diary.entries).toHaveLength(3);
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => undefined],
    ['a BigInt', 1n],
  ])('refuses %s, which has no JSON form, whether anybody listens or not', async (_what, message) => {
    const app = await startWith([]);
    const server = app.app.get(PxlWebSocketServer);
    await expect(serviceOf(app).publish('orders', message)).rejects.toEqual(refused());
    expect(() => server.sendCustomMessage({ data: message })).toThrow(refused());
    expect(() => server.local.sendMessage({ data: message })).toThrow(refused());
  });
});

describe('The order', () => {
  it('of handlers is that of their priority, equal ones in the order in which they were given', async () => {
    const diary = new Diary();
    const app = await startWith([
      listener(diary, 'zero', { channel: 'custom' }),
      listener(diary, 'last', { match: /custom/, priority: -0.5 }),
      listener(diary, 'first', { channel: '*', priority: 10 }),
      listener(diary, 'also zero', { match: () => true }),
      listener(diary, 'second', { channels: ['custom'], priority: 9.5 }),
    ]);
    app.app.get(PxlWebSocketServer).sendCustomMessage({ data: 1 });
    await diary.until('last');
    expect(diary.entries.map((entry) => entry.split(':')[0])).toEqual(['first', 'second', 'zero', 'also zero', 'last']);
  });

  it('is one after another: a handler waits for those before it', async () => {
    const diary = new Diary();
    const gate = new Gate();
    const app = await startWith([
      { channel: 'custom', priority: 1, handle: () => gate.passed.then(() => diary.write('first')) },
      { channel: 'custom', handle: () => diary.write('second') },
      { channel: 'other', handle: () => diary.write('other') },
    ]);
    const sockets = serviceOf(app);
    await sockets.publish('custom', 1);
    await sockets.publish('other', 1);
    await diary.until('other');
    expect(diary.entries).toEqual(['other']);
    gate.open();
    await diary.until('second');
    expect(diary.entries).toEqual(['other', 'first', 'second']);
  });

  it('of events is kept for each handler, however long it takes for each, over all of its channels', async () => {
    const heard: unknown[] = [];
    const gates = Array.from({ length: 3 }, () => new Gate());
    let running = 0;
    const app = await startWith([
      {
        channels: ['a', 'b'],
        async handle({ message }) {
          expect(++running).toBe(1);
          await gates[message as number]?.passed;
          heard.push(message);
          running--;
        },
      },
    ]);
    for (const at of gates.keys()) await serviceOf(app).publish(at % 2 ? 'a' : 'b', at);
    for (const gate of [...gates].reverse()) gate.open();
    await until(() => heard.length === 3);
    expect(heard).toEqual([0, 1, 2]);
  });

  it('of events is kept also for a handler that an earlier event reaches later', async () => {
    const diary = new Diary();
    const gate = new Gate();
    const app = await startWith([
      { channel: 'a', priority: 1, handle: () => gate.passed },
      listener(diary, 'both', { channels: ['a', 'b'] }),
    ]);
    await serviceOf(app).publish('a', 1);
    await serviceOf(app).publish('b', 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(diary.entries).toEqual([]);
    gate.open();
    await diary.until('both: b');
    expect(diary.entries).toEqual(['both: a 1', 'both: b 2']);
  });

  it('of many events at once is that of their sender', async () => {
    const heard: unknown[] = [];
    const app = await startWith([{ channel: 'custom', handle: ({ message }) => void heard.push(message) }]);
    const server = app.app.get(PxlWebSocketServer);
    const numbers = Array.from({ length: 2_000 }, (_, at) => at);
    for (const data of numbers) server.sendCustomMessage({ data });
    await until(() => heard.length === numbers.length);
    expect(heard).toEqual(numbers);
  });
});

describe('A handler that fails', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no ink');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no ink'))],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    ['rejects with a text', () => Promise.reject('no ink')],
  ])('because it %s is logged with its name and channel, and stops no other', async (_how, fail) => {
    const logger = new Logbook();
    const diary = new Diary();
    const failing = { name: 'printer', description: 'prints orders', match: /^orders/, priority: 1, handle: fail };
    const app = await startWith([failing, listener(diary, 'other', { channel: 'orders\n1' })], {
      logger,
      options: { events: { onError: ({ error }) => diary.write(`told of ${error.message}`) } },
    });
    await serviceOf(app).publish('orders\n1', 1);
    await serviceOf(app).publish('orders\n1', 2);
    await diary.until('other: orders\n1 2');
    expect(diary.entries).toEqual(['told of no ink', 'other: orders\n1 1', 'told of no ink', 'other: orders\n1 2']);
    expect(logger.of('error')[0]).toBe('The subscriber printer (prints orders) failed on channel "orders\\n1". no ink');
  });

  it('because it never settles is logged at its time limit, and stops no other', async () => {
    const clock = new ManualRuntime();
    const logger = new Logbook();
    const diary = new Diary();
    const stuck = { name: 'stuck', channel: 'orders', priority: 1, handle: () => new Promise(() => undefined) };
    const app = await startWith(
      [stuck, listener(diary, 'other', { channel: 'orders' }), listener(diary, 'free', { channel: 'free' })],
      { logger, override: (builder) => builder.overrideProvider(Runtime).useValue(clock) },
    );
    for (const at of [1, 2]) await serviceOf(app).publish('orders', at);
    await serviceOf(app).publish('free', 3);
    await diary.until('free');
    await clock.advance(29_999);
    expect(diary.entries).toEqual(['free: free 3']);
    await clock.advance(1);
    await diary.until('other: orders 1');
    await clock.advance(30_000);
    await diary.until('other: orders 2');
    expect(logger.of('error')).toEqual(
      [1, 2].map(
        () => 'The subscriber stuck failed on channel "orders". It took longer than timeouts.subscriber (30000 ms).',
      ),
    );
  });

  it('after its time limit is reported too', async () => {
    const logger = new Logbook();
    const gate = new Gate();
    const late = (): Promise<never> => gate.passed.then(() => Promise.reject(new Error('too late')));
    const app = await startWith([{ channel: 'orders', handle: late }], {
      logger,
      options: { timeouts: { subscriber: 10 } },
    });
    await serviceOf(app).publish('orders', 1);
    await until(() => logger.of('error').length === 1);
    gate.open();
    await until(() => logger.of('error').length === 2);
    expect(logger.of('error')[1]).toBe('The subscriber subscribers[0] failed on channel "orders". too late');
  });
});

describe('What a handler answers', () => {
  it('may be anything: one that cannot be looked at is its failure', async () => {
    const logger = new Logbook();
    const diary = new Diary();
    const strange = {
      get then(): never {
        throw new Error('do not touch');
      },
    };
    const app = await startWith(
      [
        { name: 'strange', channel: 'orders', handle: () => strange },
        listener(diary, 'other', { channel: 'orders', priority: -1 }),
      ],
      { logger },
    );
    await serviceOf(app).publish('orders', 1);
    await diary.until('other: orders 1');
    expect(logger.of('error')).toEqual(['The subscriber strange failed on channel "orders". do not touch']);
  });
});

describe('A handler that is slower than its events', () => {
  it('misses those beyond limits.subscriberQueue, which is counted, and logged once until it has caught up', async () => {
    const logger = new Logbook();
    const heard: unknown[] = [];
    let gate = new Gate();
    const slow: WebSocketSubscriberDefinition = {
      name: 'slow',
      channel: 'orders',
      async handle({ message }) {
        heard.push(message);
        await gate.passed;
      },
    };
    const all: unknown[] = [];
    const quick: WebSocketSubscriberDefinition = {
      channel: 'orders',
      priority: 1,
      handle: ({ message }) => void all.push(message),
    };
    const app = await startWith([slow, quick], { logger, options: { limits: { subscriberQueue: 3 } } });
    const sockets = serviceOf(app);
    const publish = async (at: number): Promise<void> => {
      await sockets.publish('orders', at);
      await until(() => all.includes(at));
    };
    for (let at = 1; at <= 6; at++) await publish(at);
    expect(sockets.getRefusals()).toEqual({ subscriberQueue: 2 });
    gate.open();
    await until(() => heard.length === 4);
    expect(heard).toEqual([1, 2, 3, 4]);
    expect(logger.of('warn')).toEqual(['The subscriber slow is too slow: events are dropped for it.']);
    gate = new Gate();
    await until(() => {
      void sockets.publish('orders', 0);
      return heard.includes(0);
    });
    for (let at = 7; at <= 20; at++) await publish(at);
    expect(logger.of('warn')).toHaveLength(2);
    gate.open();
  });

  it('is alone to miss them when many events come in one turn: quick ones, and those that settle at once, miss none', async () => {
    const logger = new Logbook();
    const heard = { quick: 0, settling: 0, slow: 0 };
    const gate = new Gate();
    const app = await startWith(
      [
        { name: 'quick', channel: 'orders', handle: () => (heard.quick += 1) },
        {
          name: 'settling',
          channel: 'orders',
          async handle() {
            await Promise.resolve();
            heard.settling++;
          },
        },
        {
          name: 'slow',
          channel: 'orders',
          priority: -1,
          async handle() {
            heard.slow++;
            await gate.passed;
          },
        },
      ],
      { logger, options: { limits: { subscriberQueue: 10 } } },
    );
    const sockets = serviceOf(app);
    for (let at = 0; at < 1_000; at++) void sockets.publish('orders', at);
    await until(() => heard.settling === 1_000);
    expect(heard).toEqual({ quick: 1_000, settling: 1_000, slow: 1 });
    expect(sockets.getRefusals()).toEqual({ subscriberQueue: 989 });
    expect(logger.of('warn')).toEqual(['The subscriber slow is too slow: events are dropped for it.']);
    gate.open();
    await until(() => heard.slow === 11);
  });

  it('misses none with limits.subscriberQueue: false', async () => {
    const heard: unknown[] = [];
    const gate = new Gate();
    const slow: WebSocketSubscriberDefinition = {
      channel: 'orders',
      handle: ({ message }) => gate.passed.then(() => heard.push(message)),
    };
    const app = await startWith([slow], { options: { limits: { subscriberQueue: false } } });
    for (let at = 0; at < 500; at++) await serviceOf(app).publish('orders', at);
    gate.open();
    await until(() => heard.length === 500);
    expect(serviceOf(app).getRefusals()).toEqual({});
  });

  it('does not hold up the event loop when handlers cause events for ever', async () => {
    let count = 0;
    const again: WebSocketSubscriberDefinition = {
      channel: 'custom',
      handle({ webSocketServer }) {
        count++;
        webSocketServer.sendCustomMessage({ data: 1 });
      },
    };
    const app = await startWith([again]);
    app.app.get(PxlWebSocketServer).sendCustomMessage({ data: 1 });
    const client = await app.client();
    await client.request('system', 'ping');
    const before = count;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(count - before).toBeGreaterThan(10);
    expect(count - before).toBeLessThanOrEqual(51); // one in each turn
  });
});

describe('When the application stops', () => {
  it('subscribers hear of the end of its clients, and finish, while providers live', async () => {
    const diary = new Diary();
    const gate = new Gate();
    @Injectable()
    class Database {
      onModuleDestroy(): void {
        diary.write('the database is closed');
      }
    }
    const app = await startWith(
      [
        {
          channel: 'clientDisconnected',
          async handle({ message }) {
            await gate.passed;
            diary.write(`gone with ${(message as { code: number }).code}`);
          },
        },
      ],
      { providers: [Database] },
    );
    const client = await app.client();
    const closing = app.close();
    await client.closed;
    await new Promise((resolve) => setImmediate(resolve));
    gate.open();
    await closing;
    expect(diary.entries).toEqual(['gone with 1001', 'the database is closed']);
  });

  it('it does not wait longer than shutdown.timeout for them, says which, and runs no more of their events', async () => {
    const logger = new Logbook();
    const heard: unknown[] = [];
    const stuck: WebSocketSubscriberDefinition = {
      name: 'stuck',
      channel: 'orders',
      handle({ message }) {
        heard.push(message);
        return new Promise(() => undefined);
      },
    };
    const app = await startWith([stuck], {
      logger,
      options: { shutdown: { timeout: 50 }, timeouts: { subscriber: 1_000 } },
    });
    for (const at of [1, 2]) await serviceOf(app).publish('orders', at);
    await until(() => heard.length === 1);
    await app.close();
    expect(logger.of('warn')).toEqual(['Subscribers had not finished when the application stopped: stuck.']);
    await until(() => logger.of('error').length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([1]);
  });
});

describe('When the application has waited long enough', () => {
  it('nothing more begins of a handler that still runs: no further step, no retry', async () => {
    const steps: string[] = [];
    const gate = new Gate();
    const logger = new Logbook();
    const first = async (): Promise<void> => {
      steps.push('first');
      await gate.passed;
    };
    const failing = async (): Promise<void> => {
      steps.push('try');
      await gate.passed;
      throw new Error('no ink');
    };
    const app = await startWith(
      [
        { name: 'row', channel: 'orders', handle: composeHandlers([first, () => steps.push('second')]) },
        { name: 'retry', channel: 'other', handle: withRetry(failing, 3, 0) },
      ],
      { logger, options: { shutdown: { timeout: 50 } } },
    );
    await serviceOf(app).publish('orders', 1);
    await serviceOf(app).publish('other', 1);
    await until(() => steps.length === 2);
    await app.close();
    gate.open();
    await until(() => logger.of('error').length === 1);
    expect(logger.of('error')).toEqual(['The subscriber retry failed on channel "other". no ink']);
    expect(steps).toEqual(['first', 'try']);
  });
});

describe('debug.printRoutes', () => {
  it('prints the table of subscribers, the highest priority first', async () => {
    const logger = new Logbook();
    function isUrgent(): boolean {
      return true;
    }
    const handle = (): void => undefined;
    await startWith(
      [
        { channel: 'orders', name: 'orders', handle },
        { match: [/^analytics:/g, isUrgent, () => true], run: 'oneWorker', handle },
        { channels: ['a', 'b'], name: 'dashboard', description: 'Shows what happens', priority: 20, handle },
      ],
      { logger, options: { debug: { printRoutes: true } } },
    );
    expect(logger.of('log').find((line) => line.startsWith('Subscribers'))).toBe(
      [
        'Subscribers',
        '  a, b → dashboard (Shows what happens), priority 20, everyWorker',
        '  orders → orders, priority 0, everyWorker',
        '  /^analytics:/g, isUrgent, predicate → subscribers[1], priority 0, oneWorker',
      ].join('\n'),
    );
  });
});

describe('A subscriber with dependencies', () => {
  it('reaches providers by the options factory', async () => {
    const diary = new Diary();
    const PREFIX = Symbol('PREFIX');
    @Injectable()
    class Printer {
      constructor(@Inject(PREFIX) private readonly prefix: string) {}

      print(text: string): void {
        diary.write(`${this.prefix}${text}`);
      }
    }
    const printing = defineWebSocketSubscriber<string>({
      channel: 'orders',
      handle: ({ message, moduleRef }) => moduleRef.get(Printer, { strict: false }).print(message),
    });
    const app = await startWith([printing], { providers: [{ provide: PREFIX, useValue: '> ' }, Printer] });
    await serviceOf(app).publish('orders', 'tea');
    await diary.until('> tea');
  });
});
