import { describe, expect, it } from '@jest/globals';
import { Controller, Injectable, Module, Scope, UsePipes, ValidationPipe, type Type } from '@nestjs/common';
import { Ack, ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import {
  WsClientId,
  DuplicateWsRouteError,
  PxlWebSocketSetupError,
  WsClient,
  WsFallback,
  WsRequest,
  WsRoute,
  WsUser,
  type WsRequestInfo,
  type WsUserInfo,
} from 'nestjs-pxl-websocket';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { createApp, PLATFORMS, type TestAppOptions, startsOneApp } from '../support/test-app.js';

const start = startsOneApp();

/** Why an application with these providers does not start. */
async function startUpError(...providers: NonNullable<TestAppOptions['providers']>): Promise<Error> {
  const app = await createApp({ providers });
  try {
    await app.init();
  } catch (error) {
    return error as Error;
  } finally {
    await app.close();
  }
  throw new Error('It has started.');
}

describe.each(PLATFORMS)('a route on %s', (platform) => {
  @WebSocketGateway()
  class Gateway {
    @WsRoute('a', 'gateway')
    gateway() {
      return 'gateway';
    }
  }

  @Injectable()
  class Plain {
    @WsRoute('a', 'provider')
    provider() {
      return 'provider';
    }
  }

  @Controller()
  class Web {
    @WsRoute('a', 'controller')
    controller() {
      return 'controller';
    }
  }

  class Made {
    constructor(private readonly answer: string) {}

    @WsRoute('a', 'factory')
    factory() {
      return this.answer;
    }
  }

  class Given {
    constructor(private readonly answer: string) {}

    @WsRoute('a', 'value')
    value() {
      return this.answer;
    }
  }

  it('is found on gateways, plain providers, controllers, and what factories and values provide', async () => {
    const { client } = await start({
      platform,
      controllers: [Web],
      providers: [
        Gateway,
        Plain,
        { provide: 'made', useFactory: async () => new Made('from a factory') },
        { provide: 'given', useValue: new Given('from a value') },
      ],
    });
    const tester = await client();
    expect(await tester.request('a', 'gateway')).toBe('gateway');
    expect(await tester.request('a', 'provider')).toBe('provider');
    expect(await tester.request('a', 'controller')).toBe('controller');
    expect(await tester.request('a', 'factory')).toBe('from a factory');
    expect(await tester.request('a', 'value')).toBe('from a value');
    await expect(tester.request('a', 'nothing')).rejects.toThrow('UNKNOWN_ROUTE');
  });
});

describe('discovery', () => {
  class Base {
    @WsRoute('base', 'inherited')
    inherited() {
      return 'inherited';
    }

    @WsRoute('base', 'hidden')
    hidden() {
      return 'base';
    }

    @WsRoute('base', 'changed')
    changed() {
      return 'base';
    }
  }

  @WebSocketGateway()
  class Derived extends Base {
    override hidden() {
      return 'derived';
    }

    @WsRoute('derived', 'changed')
    override changed() {
      return 'derived';
    }

    @WsRoute('many', 'one')
    @WsRoute('many', 'two')
    many() {
      return 'many';
    }
  }

  it('finds inherited and several routes of a method, and takes an overriding method as it is decorated itself', async () => {
    const { client } = await start({ providers: [Derived] });
    const tester = await client();
    expect(await tester.request('base', 'inherited')).toBe('inherited');
    expect(await tester.request('many', 'one')).toBe('many');
    expect(await tester.request('many', 'two')).toBe('many');
    expect(await tester.request('derived', 'changed')).toBe('derived');
    await expect(tester.request('base', 'hidden')).rejects.toThrow('UNKNOWN_ROUTE');
    await expect(tester.request('base', 'changed')).rejects.toThrow('UNKNOWN_ROUTE');
  });

  it('takes a gateway once that has an alias and stands in two modules', async () => {
    @Module({ providers: [Derived], exports: [Derived] })
    class First {}
    @Module({ imports: [First], providers: [Derived, { provide: 'alias', useExisting: Derived }] })
    class Second {}
    const { client } = await start({ imports: [First, Second] });
    expect(await (await client()).request('many', 'one')).toBe('many');
  });

  it('is not disturbed by providers that are no objects, or strange ones', async () => {
    const { client } = await start({
      providers: [
        Derived,
        { provide: 'null', useValue: null },
        { provide: 'text', useValue: 'text' },
        { provide: 'bare', useValue: Object.create(null) as object },
        { provide: 'odd', useValue: { constructor: 'odd' } },
        { provide: 'function', useValue: () => 1 },
      ],
    });
    expect(await (await client()).request('many', 'one')).toBe('many');
  });

  it('answers on every endpoint, and a gateway with its own path there only', async () => {
    @WebSocketGateway({ path: '/own' })
    class Own {
      @WsRoute('own', 'route')
      own() {
        return 'own';
      }
    }
    @Injectable()
    class Everywhere {
      @WsRoute('every', 'where')
      everywhere() {
        return 'everywhere';
      }
    }
    const { client } = await start({ providers: [Own, Everywhere] });
    const [main, own] = [await client(), await client({ path: '/own' })];
    expect(await main.request('every', 'where')).toBe('everywhere');
    expect(await own.request('every', 'where')).toBe('everywhere');
    expect(await own.request('own', 'route')).toBe('own');
    await expect(main.request('own', 'route')).rejects.toThrow('UNKNOWN_ROUTE');
  });

  it('names unknown ones in the debug log, once each, in one line, and no more than a hundred', async () => {
    const logger = new Logbook();
    const { client } = await start({ providers: [Derived], logger });
    const tester = await client();
    const ask = (type: string, action: string): Promise<void> =>
      expect(tester.request(type, action)).rejects.toThrow('UNKNOWN_ROUTE');
    for (let times = 0; times < 2; times++) await ask('chat', 'send\nforged');
    const named = (): string[] => logger.of('debug').filter((line) => line.startsWith('A client has asked for'));
    expect(named()).toEqual([
      'A client has asked for the route "chat:send\\nforged" of /ws, which has no handler. ' +
        "If a class has one, that class may be in no module's providers, or serve another path.",
    ]);
    for (let at = 0; at < 110; at++) await ask('chat', `no-${at}`);
    expect(named()).toHaveLength(100);
    expect(named().at(-1)).toContain('Further routes are not named.');
  });

  it('prints every endpoint with its routes when asked to', async () => {
    const logger = new Logbook();
    await start({ options: { debug: { printRoutes: true } }, providers: [Derived], logger });
    const lines = logger.of('log').find((text) => text.startsWith('Routes of /ws'));
    expect(lines?.split('\n')).toEqual(
      expect.arrayContaining(['Routes of /ws', '  many:one → Derived.many', '  base:inherited → Derived.inherited']),
    );
  });
});

describe('start-up', () => {
  function gatewayOf(type: string, action: string): Type {
    class Wrong {
      @WsRoute(type, action)
      method() {}
    }
    return Wrong;
  }

  it('fails for two handlers of one route, naming both methods', async () => {
    class Left {
      @WsRoute('chat', 'send')
      send() {}
    }
    class Right {
      @WsRoute('chat', 'send')
      alsoSend() {}
    }
    const error = await startUpError(Left, Right);
    expect(error).toBeInstanceOf(DuplicateWsRouteError);
    expect(error.message).toContain('"chat:send" of /ws');
    expect(error.message).toContain('Left.send');
    expect(error.message).toContain('Right.alsoSend');
  });

  it.each([
    ['system', 'x', 'the type "system"'],
    ['error', 'x', 'the type "error"'],
    ['room', 'left', 'the name "room:left"'],
    ['auth', 'expiring', 'the name "auth:expiring"'],
  ])('fails for %s:%s, which is not for applications', async (type, action, own) => {
    const error = await startUpError(gatewayOf(type, action));
    expect(error).toBeInstanceOf(PxlWebSocketSetupError);
    expect(error.message).toBe(`The route of Wrong.method cannot be: ${own} belongs to the library.`);
  });

  it.each([
    ['room', 'join'],
    ['auth', 'login'],
  ])('takes %s:%s, since the library has other names there', async (type, action) => {
    const { client } = await start({ providers: [gatewayOf(type, action)] });
    expect(await (await client()).request(type, action)).toBeNull();
  });

  it.each([
    ['a:b', 'x', 'a type holds no colon'],
    ['', 'x', 'the type is a text of 1 to 64 characters'],
    ['a', '', 'the action is a text of 1 to 64 characters'],
    ['a'.repeat(65), 'x', 'the type is a text of 1 to 64 characters'],
    ['a', 'x'.repeat(65), 'the action is a text of 1 to 64 characters'],
    ['a', 7 as unknown as string, 'the action is a text of 1 to 64 characters'],
  ])('fails for the route (%j, %j)', async (type, action, problem) => {
    expect((await startUpError(gatewayOf(type, action))).message).toContain(`Wrong.method cannot be: ${problem}.`);
  });

  it('refuses transient providers by name', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Fleeting {
      @WsRoute('a', 'b')
      method() {}
    }
    expect((await startUpError(Fleeting)).message).toContain('Fleeting cannot have routes or be a gateway');
  });

  it('fails for two fallbacks of one endpoint, naming both methods', async () => {
    class Left {
      @WsFallback()
      rest() {}
    }
    class Right {
      @WsFallback()
      others() {}
    }
    const error = await startUpError(Left, Right);
    expect(error).toBeInstanceOf(DuplicateWsRouteError);
    expect(error.message).toContain('Left.rest and Right.others');
  });
});

describe('the fallback', () => {
  class Known {
    @WsRoute('known', 'route')
    known() {
      return 'known';
    }

    @WsFallback()
    rest(@MessageBody() message: unknown, @MessageBody('data') data: unknown) {
      return { message, data };
    }
  }

  it('takes the whole of what no route does, and nothing of the types of the library', async () => {
    const { client } = await start({ providers: [Known] });
    const tester = await client();
    expect(await tester.request('known', 'route')).toBe('known');
    tester.send({ type: 'other', action: 'route', data: 5, id: 'x', extra: true });
    expect((await tester.next('other', 'route')).response).toEqual({
      message: { type: 'other', action: 'route', data: 5, id: 'x', extra: true },
      data: 5,
    });
    await expect(tester.request('system', 'unknown')).rejects.toThrow('UNKNOWN_ROUTE');
    await expect(tester.request('room', 'unknown')).rejects.toThrow('UNKNOWN_ROUTE');
  });

  it('belongs to the path of its gateway', async () => {
    @WebSocketGateway({ path: '/own' })
    class Own {
      @WsFallback()
      rest() {
        return 'rest';
      }
    }
    const { client } = await start({ providers: [Own] });
    expect(await (await client({ path: '/own' })).request('x', 'y')).toBe('rest');
    await expect((await client()).request('x', 'y')).rejects.toThrow('UNKNOWN_ROUTE');
  });
});

describe('the parameters of a handler', () => {
  class Params {
    @WsRoute('p', 'plain')
    plain(client: WsClient, data: unknown) {
      return [client.clientId, data];
    }

    @WsRoute('p', 'all')
    all(
      @WsClientId() clientId: string,
      @MessageBody() body: unknown,
      @MessageBody('name') name: unknown,
      @ConnectedSocket() client: WsClient,
      @WsUser() user: WsUserInfo | null,
      @WsUser('userId') userId: string,
      @WsRequest() request: WsRequestInfo,
    ) {
      return [clientId, body, name, client instanceof WsClient, user, userId, request.url];
    }
  }

  class Person {
    @IsString()
    name!: string;
  }

  @UsePipes(new ValidationPipe({ transform: true }))
  class Mixed {
    @WsRoute('m', 'body')
    @WsRoute('m', 'again')
    body(client: WsClient, @MessageBody() person: Person) {
      return [client.clientId, person instanceof Person];
    }

    @SubscribeMessage('user')
    user(
      client: WsClient,
      @WsUser() user: unknown,
      @MessageBody('name') name: unknown,
      @Ack() ack: (value: unknown) => void,
    ) {
      ack([client.clientId, user, name]);
    }

    @WsFallback()
    rest(client: WsClient, @MessageBody('action') action: unknown, note = 'a default') {
      return [client.clientId, action, note];
    }
  }

  @Injectable({ scope: Scope.REQUEST })
  class MixedPerMessage extends Mixed {
    @WsRoute('m', 'scoped')
    scoped(client: WsClient, @MessageBody() person: Person) {
      return this.body(client, person);
    }
  }

  const gaps: unknown[][] = [];
  class Gaps {
    @WsRoute('g', 'ofPxl')
    ofPxl(client: unknown, clientId: unknown, data: unknown) {
      gaps.push([client, clientId, data]);
    }

    @WsRoute('g', 'behind')
    @WsRoute('g', 'again')
    behind(client: unknown, @MessageBody() data: unknown, more: unknown, last: unknown) {
      gaps.push([client, data, more, last]);
    }

    @SubscribeMessage('before')
    before(data: unknown, @ConnectedSocket() client: unknown) {
      gaps.push([data, client]);
    }

    @WsFallback()
    rest(first: unknown, @WsClientId() clientId: unknown, last: unknown) {
      gaps.push([first, clientId, last]);
    }
  }

  it('are the client and the data where nothing is decorated', async () => {
    const { client } = await start({ providers: [Params] });
    const tester = await client();
    expect(await tester.request('p', 'plain', { a: 1 })).toEqual([tester.clientId, { a: 1 }]);
  });

  it('are what their decorators say', async () => {
    const user = { userId: 7, userType: 'human', payload: { email: 'a@b.c' } };
    const { client } = await start({ options: { auth: { authenticate: () => user } }, providers: [Params] });
    const tester = await client({ path: '/ws?x=1' });
    expect(await tester.request('p', 'all', { name: 'n' })).toEqual([
      tester.clientId,
      { name: 'n' },
      'n',
      true,
      { userId: '7', userType: 'human', payload: { email: 'a@b.c' } },
      '7',
      '/ws?x=1',
    ]);
  });

  it.each([Mixed, MixedPerMessage])(
    'are the client, past all pipes, where the first has no decorator (%p)',
    async (type) => {
      const logger = new Logbook();
      const { client } = await start({ providers: [type], logger });
      const tester = await client();
      const routes = type === Mixed ? ['body', 'again'] : ['body', 'again', 'scoped'];
      for (const route of routes) {
        expect(await tester.request('m', route, { name: 'ada' })).toEqual([tester.clientId, true]);
      }
      await expect(tester.request('m', 'body', { name: 5 })).rejects.toThrow('VALIDATION_FAILED');
      expect(await tester.request('event', 'user', { name: 'ada' })).toEqual([tester.clientId, null, 'ada']);
      expect(await tester.request('m', 'other')).toEqual([tester.clientId, 'other', 'a default']);
      expect(logger.of('warn')).toEqual([]);
    },
  );

  it('that nothing is known of are undefined, and named once by a warning at start', async () => {
    const logger = new Logbook();
    const { client } = await start({ providers: [Gaps], logger });
    const beside =
      'which will be undefined: beside decorated parameters only the first may have no decorator, and is the client where ' +
      'no other is.';
    const told = [
      'Nothing is known of parameter 3 of Gaps.ofPxl, which will be undefined: ' +
        'a handler without decorators gets (client, data), its second parameter is the data.',
      `Nothing is known of parameters 3 and 4 of Gaps.behind, ${beside}`,
      `Nothing is known of parameter 1 of Gaps.before, ${beside}`,
      `Nothing is known of parameter 3 of Gaps.rest, ${beside}`,
    ];
    expect([...logger.of('warn')].sort()).toEqual(told.sort());
    const tester = await client();
    for (const [type, action] of [
      ['g', 'ofPxl'],
      ['g', 'behind'],
      ['event', 'before'],
      ['g', 'else'],
    ] as const) {
      await tester.request(type, action, 1);
    }
    const sender = expect.any(WsClient);
    expect(gaps).toEqual([
      [sender, 1, undefined],
      [sender, 1, undefined, undefined],
      [undefined, sender],
      [sender, tester.clientId, undefined],
    ]);
    expect(logger.of('warn')).toHaveLength(4);
  });

  it.each([[undefined], [null], [5], ['text'], [[1]]])('survive a property of the body %j', async (data) => {
    const { client } = await start({ providers: [Params] });
    const tester = await client();
    const [, body, name, , user, userId] = (await tester.request('p', 'all', data)) as unknown[];
    expect([body ?? null, name ?? null, user, userId ?? null]).toEqual([data ?? null, null, null, null]);
  });
});

describe('a reply', () => {
  class Replies {
    @WsRoute('r', 'value')
    value(@MessageBody() data: unknown) {
      return data;
    }

    @WsRoute('r', 'promise')
    async promise(@MessageBody() data: unknown) {
      return data;
    }

    @WsRoute('r', 'nothing')
    nothing() {}

    @WsRoute('r', 'later-nothing')
    async laterNothing() {}

    @WsRoute('r', 'thenable')
    thenable() {
      return { then: (resolve: (value: string) => void) => resolve('thenable') };
    }

    @WsRoute('r', 'bigint')
    bigint() {
      return { value: 1n };
    }

    @WsRoute('r', 'cycle')
    async cycle() {
      const cycle: Record<string, unknown> = {};
      cycle.self = cycle;
      return cycle;
    }
  }

  it.each([[0], [''], [false], [null], ['text'], [{ a: [1] }], [[]]])(
    'is the value %j, at once or promised',
    async (value) => {
      const { client } = await start({ providers: [Replies] });
      const tester = await client();
      tester.send({ type: 'r', action: 'value', data: value });
      expect(await tester.next()).toEqual({ type: 'r', action: 'value', response: value });
      tester.send({ type: 'r', action: 'promise', data: value, id: 1 });
      expect(await tester.next()).toEqual({ type: 'r', action: 'promise', id: 1, response: value });
    },
  );

  it.each(['nothing', 'later-nothing'])(
    'to a handler that returns nothing (%s) comes only for an id',
    async (action) => {
      const { client } = await start({ providers: [Replies] });
      const tester = await client();
      tester.send({ type: 'r', action });
      await tester.expectNothing(50);
      tester.send({ type: 'r', action, id: 0 });
      expect(await tester.next()).toEqual({ type: 'r', action, id: 0, response: null });
    },
  );

  it('waits for whatever can be awaited', async () => {
    const { client } = await start({ providers: [Replies] });
    expect(await (await client()).request('r', 'thenable')).toBe('thenable');
  });

  it.each(['bigint', 'cycle'])('without a JSON form (%s) is INTERNAL, and logged', async (action) => {
    const logger = new Logbook();
    const { client } = await start({ providers: [Replies], logger });
    const tester = await client();
    await expect(tester.request('r', action)).rejects.toThrow('INTERNAL: Internal error.');
    expect(logger.of('error').join()).toContain(`Replies.${action} failed.`);
    expect(await tester.request('r', 'value', 'alive')).toBe('alive');
  });

  it('nested as deeply as what the client sent is the client’s mistake, and no line in the log', async () => {
    const logger = new Logbook();
    const { client } = await start({ providers: [Replies], logger });
    const tester = await client();
    tester.send(`{"type":"r","action":"value","id":1,"data":${'['.repeat(32_000)}${']'.repeat(32_000)}}`);
    expect(await tester.next()).toMatchObject({ id: 1, data: { code: 'BAD_MESSAGE' } });
    expect(logger.of('error')).toEqual([]);
  });
});

describe('the id of a request', () => {
  class Slow {
    readonly gates = new Map<string, Gate<string>>();

    @WsRoute('slow', 'wait')
    wait(@MessageBody() name: string) {
      const gate = new Gate<string>();
      this.gates.set(name, gate);
      return gate.passed;
    }

    @WsRoute('slow', 'open')
    open(@MessageBody() name: string) {
      this.gates.get(name)?.open(name);
    }
  }

  const options = { inbound: { concurrency: 2 } };

  it.each([['text'], [''], [0], [-1], [Number.MAX_SAFE_INTEGER], ['x'.repeat(64)]])('may be %j', async (id) => {
    const { client } = await start({ options, providers: [Slow] });
    const tester = await client();
    tester.send({ type: 'slow', action: 'open', id });
    expect(await tester.next()).toEqual({ type: 'slow', action: 'open', id, response: null });
  });

  it('cannot be used twice at once; the first request is answered, and the id is free again', async () => {
    const { client } = await start({ options, providers: [Slow] });
    const tester = await client();
    tester.send({ type: 'slow', action: 'wait', data: 'first', id: 1 });
    tester.send({ type: 'slow', action: 'open', data: 'other', id: 1 });
    const refusal = await tester.next('error');
    expect(refusal.data).toMatchObject({ code: 'BAD_MESSAGE', error: 'The id is still in use.' });
    expect(refusal).not.toHaveProperty('id');
    // The text "1" is another id than the number.
    tester.send({ type: 'slow', action: 'open', data: 'other', id: '1' });
    expect((await tester.next()).id).toBe('1');
    tester.send({ type: 'slow', action: 'open', data: 'first' });
    expect(await tester.next()).toEqual({ type: 'slow', action: 'wait', id: 1, response: 'first' });
    tester.send({ type: 'slow', action: 'open', data: 'again', id: 1 });
    expect((await tester.next()).id).toBe(1);
  });
});
