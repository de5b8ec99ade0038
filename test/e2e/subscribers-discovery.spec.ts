import { beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Injectable, Module, Scope, type Type } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  matchAll,
  matchByProperty,
  PxlWebSocketServer,
  WebSocketService,
  WsSubscriber,
  type PxlWebSocketModuleOptions,
  type WebSocketSubscriberHandlerContext,
  type WsSubscriberOptions,
} from 'nestjs-pxl-websocket';
import { z } from 'zod';
import { Diary } from '../support/diary.js';
import { failureOf } from '../support/failure-of.js';
import { Logbook } from '../support/logbook.js';
import { startsOneApp, type TestApp } from '../support/test-app.js';

const start = startsOneApp();
let diary: Diary;

beforeEach(() => {
  diary = new Diary();
});

@Injectable()
class Printer {
  print(text: string): void {
    diary.write(text);
  }
}

async function publish({ app }: TestApp, channel: string, message: unknown): Promise<void> {
  await app.get(WebSocketService).publish(channel, message);
}

describe('A method with @WsSubscriber', () => {
  @Injectable()
  class Orders {
    constructor(private readonly printer: Printer) {}

    @WsSubscriber({ channel: 'orders' })
    placed({ channel, message }: WebSocketSubscriberHandlerContext<number>): void {
      this.printer.print(`Orders.placed ${channel} ${message}`);
    }
  }

  it('is a handler with the dependencies of its provider', async () => {
    const app = await start({ providers: [Orders, Printer] });
    await publish(app, 'orders', 1);
    await diary.until('Orders.placed orders 1');
  });

  it.each<[string, (type: Type) => Type]>([
    ['a controller', (type) => Controller()(type) as unknown as Type],
    ['a gateway', (type) => WebSocketGateway({ path: '/own' })(type) as unknown as Type],
  ])('may be one of %s', async (what, decorate) => {
    @Injectable()
    class Host {
      @WsSubscriber({ channel: 'orders' })
      placed(): void {
        diary.write('placed');
      }
    }
    decorate(Host);
    const app = await start(what === 'a controller' ? { controllers: [Host] } : { providers: [Host] });
    await publish(app, 'orders', 1);
    await diary.until('placed');
  });

  it('is taken once, in however many modules its provider is', async () => {
    @Module({ providers: [Orders, Printer] })
    class OneModule {}
    @Module({ providers: [Orders, Printer, { provide: 'alias', useExisting: Orders }] })
    class OtherModule {}
    const app = await start({ imports: [OneModule, OtherModule] });
    await publish(app, 'orders', 1);
    await publish(app, 'orders', 2);
    await diary.until('Orders.placed orders 2');
    expect(diary.entries).toEqual(['Orders.placed orders 1', 'Orders.placed orders 2']);
  });

  it('is one of what a factory makes', async () => {
    const app = await start({
      providers: [Printer, { provide: 'orders', useFactory: (p: Printer) => new Orders(p), inject: [Printer] }],
    });
    await publish(app, 'orders', 1);
    await diary.until('Orders.placed orders 1');
  });

  it('is inherited, and an overriding method stands for itself', async () => {
    class Base {
      @WsSubscriber({ channel: 'a' })
      inherited(): void {
        diary.write('inherited');
      }

      @WsSubscriber({ channel: 'a' })
      overridden(): void {
        diary.write('base');
      }
    }
    @Injectable()
    class Derived extends Base {
      override overridden(): void {
        diary.write('derived');
      }

      @WsSubscriber({ channel: 'a', priority: -1 })
      end(): void {
        diary.write('end');
      }
    }
    const app = await start({ providers: [Derived] });
    await publish(app, 'a', 1);
    await diary.until('end');
    expect(diary.entries).toEqual(['inherited', 'end']);
  });

  it('may have several, each a subscriber of its own', async () => {
    @Injectable()
    class Twice {
      @WsSubscriber({ channel: 'a' })
      @WsSubscriber({ match: /^b/, priority: 3 })
      hear({ channel }: WebSocketSubscriberHandlerContext): void {
        diary.write(channel);
      }
    }
    const app = await start({ providers: [Twice] });
    await publish(app, 'a', 1);
    await publish(app, 'b', 1);
    await diary.until('b');
    expect(diary.entries).toEqual(['a', 'b']);
  });

  it('has priority among those of the option, after equal ones', async () => {
    @Injectable()
    class Some {
      @WsSubscriber({ channel: 'a', priority: 1 })
      first(): void {
        diary.write('first');
      }

      @WsSubscriber({ channel: 'a' })
      last(): void {
        diary.write('last');
      }
    }
    const app = await start({
      providers: [Some],
      options: { subscribers: [{ channel: 'a', handle: () => diary.write('between') }] },
    });
    await publish(app, 'a', 1);
    await diary.until('last');
    expect(diary.entries).toEqual(['first', 'between', 'last']);
  });

  it('is called by its class and method in the log and in the table, or by its name', async () => {
    const logger = new Logbook();
    @Injectable()
    class Failing {
      @WsSubscriber({ channel: 'a' })
      method(): void {
        throw new Error('no ink');
      }

      @WsSubscriber({ channel: 'a', name: 'other', run: 'oneWorker' })
      named(): void {
        diary.write('named');
      }
    }
    const app = await start({ providers: [Failing], logger, options: { debug: { printRoutes: true } } });
    await publish(app, 'a', 1);
    await diary.until('named');
    expect(logger.of('error')).toEqual(['The subscriber Failing.method failed on channel "a". no ink']);
    expect(logger.of('log')).toContain(
      ['Subscribers', '  a → Failing.method, priority 0, everyWorker', '  a → other, priority 0, oneWorker'].join('\n'),
    );
  });

  it('gets what the schema makes of the message', async () => {
    const logger = new Logbook();
    @Injectable()
    class Checked {
      @WsSubscriber({ channel: 'a', schema: z.object({ count: z.coerce.number() }) })
      counted({ message: { count } }: WebSocketSubscriberHandlerContext<{ count: number }>): void {
        diary.write(`${count + 1}`);
      }
    }
    const app = await start({ providers: [Checked], logger });
    await publish(app, 'a', { count: 'many' });
    await publish(app, 'a', { count: '2' });
    await diary.until('3');
    expect(diary.entries).toEqual(['3']);
    expect(logger.of('error')[0]).toContain('The subscriber Checked.counted failed on channel "a". The message is not');
  });

  it.each([
    ['request-scoped', Scope.REQUEST, 'it is request-scoped, and an event belongs to no request'],
    ['transient', Scope.TRANSIENT, 'its provider is transient, so it has no single instance'],
  ])('is refused by name in a provider that is %s', async (_what, scope, why) => {
    @Injectable({ scope })
    class Fleeting {
      @WsSubscriber({ channel: 'a' })
      method(): void {}
    }
    expect(await failureOf({ providers: [Fleeting] })).toBe(
      `Fleeting.method cannot be a subscriber: ${why}. Move it to a provider without such dependencies.`,
    );
  });

  it('is refused by name in a provider with request-scoped dependencies', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {}
    @Injectable()
    class Host {
      constructor(readonly own: PerRequest) {}

      @WsSubscriber({ channel: 'a' })
      method(): void {}
    }
    const failure = await failureOf({ providers: [Host, PerRequest] });
    expect(failure).toContain('Host.method cannot be a subscriber: it injects PerRequest, which is request-scoped');
  });

  it.each<[WsSubscriberOptions, string]>([
    [
      {},
      'What @WsSubscriber(Wrong.method) hears is said by exactly one of channel, channels and match, not by nothing.',
    ],
    [
      { channel: 'WebSocket:ClientLeftRoom' },
      "The option @WsSubscriber(Wrong.method).channel is 'clientLeftRoom', not 'WebSocket:ClientLeftRoom', as PXL's older edition called it.",
    ],
    [{ channel: 'a', priority: NaN }, 'The option @WsSubscriber(Wrong.method).priority is a number, not NaN.'],
  ])('with wrong options %j fails the start, naming it', async (options, message) => {
    @Injectable()
    class Wrong {
      @WsSubscriber(options)
      method(): void {}
    }
    expect(await failureOf({ providers: [Wrong] })).toBe(message);
  });
});

describe('A wrong definition fails the start, named by its place and its name or description:', () => {
  const handle = (): void => undefined;
  const selection = (given: string): string =>
    `What subscribers[0] hears is said by exactly one of channel, channels and match, not by ${given}.`;
  const channel = "a channel's name of 1 to 128 characters, or '*'";
  const matcher = "a text that is a channel's name or '*', a RegExp, a function, or matchAll(...)";
  const older = "as PXL's older edition called it.";
  const cases: [string, unknown, string][] = [
    ['no list', {}, 'The option subscribers is a list of definitions, not an object.'],
    ['no object', ['custom'], 'The option subscribers[0] is an object, not a text.'],
    ['nothing', [undefined], 'The option subscribers[0] is an object, not null.'],
    [
      'no handler',
      [{ channel: 'a', name: 'dashboard' }],
      'The option subscribers[0] (dashboard).handle is a function, not undefined.',
    ],
    [
      'a handler that is none',
      [{ channel: 'a', description: 'shows it', handle: 'show' }],
      'The option subscribers[0] (shows it).handle is a function, not a text.',
    ],
    ['nothing that it hears', [{ handle }], selection('nothing')],
    ['two ways to hear', [{ channel: 'a', match: /a/, handle }], selection('channel and match')],
    ['a channel and channels', [{ channel: 'a', channels: ['b'], handle }], selection('channel and channels')],
    ['match and matchers', [{ match: 'a', matchers: ['b'], handle }], selection('match and matchers')],
    [
      'an empty channel',
      [{ channel: '', handle }],
      `The option subscribers[0].channel is ${channel}, not an empty text.`,
    ],
    [
      'a list as its channel',
      [{ channel: ['a'], handle }],
      `The option subscribers[0].channel is ${channel}, not a list.`,
    ],
    [
      'a channel that is too long',
      [{ channel: 'a'.repeat(129), handle }],
      `The option subscribers[0].channel is ${channel}, not a text.`,
    ],
    [
      "the name that PXL's older edition gave a channel",
      [{ channel: 'WebSocket:Custom', handle }],
      `The option subscribers[0].channel is 'custom', not 'WebSocket:Custom', ${older}`,
    ],
    [
      'such a name among channels',
      [{ channels: ['a', 'WebSocket:ClientConnected'], handle }],
      `The option subscribers[0].channels[1] is 'clientConnected', not 'WebSocket:ClientConnected', ${older}`,
    ],
    [
      'such a name in match',
      [{ match: 'WebSocket:QueueJobError', handle }],
      `The option subscribers[0].match is 'queueJobError', not 'WebSocket:QueueJobError', ${older}`,
    ],
    [
      'such a name among matchers',
      [{ channels: ['a'], matchers: [/a/, matchAll(() => true, 'WebSocket:SendMessageToAll')], handle }],
      `The option subscribers[0].matchers[1] is 'sendMessageToAll', not 'WebSocket:SendMessageToAll', ${older}`,
    ],
    [
      'no channels',
      [{ channels: [], handle }],
      "The option subscribers[0].channels is a list of channels' names, each of 1 to 128 characters, not a list.",
    ],
    [
      'a number among its matchers',
      [{ match: ['a', 7], handle }],
      `The option subscribers[0].match is ${matcher}, or a list of them, not a list.`,
    ],
    [
      'an empty matchAll',
      [{ match: matchAll(), handle }],
      `The option subscribers[0].match is ${matcher}, or a list of them, not an object.`,
    ],
    [
      'a text as its priority',
      [{ channel: 'a', priority: 'high', handle }],
      'The option subscribers[0].priority is a number, not a text.',
    ],
    [
      'another run',
      [{ channel: 'a', run: 'once', handle }],
      "The option subscribers[0].run is 'everyWorker' or 'oneWorker', not a text.",
    ],
    [
      'middleware without hooks',
      [{ channel: 'a', middleware: [{ name: 'empty' }], handle }],
      'The option subscribers[0].middleware is a list of objects with a name and functions onBefore, onAfter, onError, not a list.',
    ],
    [
      'a schema that is none',
      [{ channel: 'a', schema: { parse: handle }, handle }],
      'The option subscribers[0].schema is a Standard Schema, as zod, valibot and arktype make them, not an object.',
    ],
    [
      'an empty name',
      [{ channel: 'a', name: '', handle }],
      'The option subscribers[0].name is a text that is not empty, not an empty text.',
    ],
  ];

  it.each(cases)('%s', async (_what, subscribers, message) => {
    expect(await failureOf({ options: { subscribers } as PxlWebSocketModuleOptions })).toBe(message);
  });

  it('a misspelt option', async () => {
    const subscribers = [
      { channel: 'a', handle },
      { name: 'second', channel: 'a', prio: 1, handle },
    ];
    const failure = await failureOf({ options: { subscribers } });
    expect(failure).toContain('There is no option subscribers[1] (second).prio; did you mean priority? There are');
  });
});

describe('matchAll', () => {
  it('picks what every one of its matchers picks', async () => {
    const subscribers = [
      {
        match: ['other', matchAll(/^orders:/g, matchByProperty('user.id', 7), ({ message }) => message !== null)],
        handle: ({ channel }: { channel: string }) => diary.write(channel),
      },
    ];
    const app = await start({ options: { subscribers } });
    await publish(app, 'orders:1', { user: { id: 7 } });
    await publish(app, 'orders:2', { user: { id: 8 } });
    await publish(app, 'sales:3', { user: { id: 7 } });
    await publish(app, 'orders:4', { user: { id: 7 } });
    await publish(app, 'other', 1);
    await diary.until('other');
    expect(diary.entries).toEqual(['orders:1', 'orders:4', 'other']);
  });

  it('with several channels hears what is common to them: nothing', async () => {
    const subscribers = [
      { match: matchAll('a', 'b'), handle: () => diary.write('picked') },
      { channel: 'b', handle: () => diary.write('b') },
    ];
    const app = await start({ options: { subscribers } });
    await publish(app, 'a', 1);
    await publish(app, 'b', 1);
    await diary.until('b');
    expect(diary.entries).toEqual(['b']);
  });
});

it('PxlWebSocketServer is the same facade inside of handlers of one worker', async () => {
  let given: unknown;
  const subscribers = [
    {
      channel: 'a',
      run: 'oneWorker' as const,
      handle({ webSocketServer }: WebSocketSubscriberHandlerContext): void {
        given = webSocketServer;
        diary.write('a');
      },
    },
  ];
  const app = await start({ options: { subscribers } });
  await publish(app, 'a', 1);
  await diary.until('a');
  expect(given).toBe(app.app.get(PxlWebSocketServer));
});
