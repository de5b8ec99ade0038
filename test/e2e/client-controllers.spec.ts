import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Catch,
  ForbiddenException,
  Inject,
  Injectable,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, REQUEST } from '@nestjs/core';
import { Ack, ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { IsInt } from 'class-validator';
import {
  InjectWebSocketClient,
  PxlWebSocketClientModule,
  PxlWebSocketModule,
  PxlWebSocketServer,
  UseConnectionGuards,
  UseConnectionInterceptors,
  UseConnectionPipes,
  WebSocketClientController,
  WebSocketService,
  WsError,
  WsFallback,
  WsParam,
  WsQuery,
  WsRateLimit,
  WsRoute,
  type PxlWebSocketClientModuleOptions,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { WebSocketClient, WebSocketClientError } from 'nestjs-pxl-websocket/client';
import { map, of } from 'rxjs';
import { WebSocket } from 'ws';
import { Diary } from '../support/diary.js';
import { failureOf } from '../support/failure-of.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { secondCopy } from '../support/second-copy.js';
import { startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { until } from '../support/until.js';

const running: TestApp[] = [];

async function start(test: TestAppOptions): Promise<TestApp> {
  const app = await startApp(test);
  running.push(app);
  return app;
}

afterEach(async () => {
  for (const app of running.splice(0).reverse()) await app.close();
});

/** A server, and the one client that an application with these providers is of it. */
class Pair {
  private constructor(
    readonly server: TestApp,
    readonly app: TestApp,
    readonly log: Logbook,
  ) {}

  static async start(
    providers: TestAppOptions['providers'],
    options: Partial<PxlWebSocketClientModuleOptions> = {},
    more: TestAppOptions = {},
  ): Promise<Pair> {
    const server = await start({ options: { rooms: { open: true, announce: true } } });
    const log = new Logbook();
    const url = server.url();
    const forRoot = PxlWebSocketClientModule.forRoot({ url, waitForConnection: 15_000, ...options });
    const app = await start({ logger: log, options: false, ...more, imports: [forRoot], providers });
    return new Pair(server, app, log);
  }

  push(action: string, data?: unknown, type = 'desk'): Promise<void> {
    return this.server.app.get(WebSocketService).broadcast({ type, action, data });
  }

  /** Asks the client. */
  async call(action: string, data?: unknown): Promise<unknown> {
    const { clients } = await this.server.app.get(WebSocketService).fetchClients();
    return (clients[0] as WsClient).call({ type: 'desk', action, data });
  }
}

describe('a client controller', () => {
  it('handles what the server says unasked, with its pipes and parameters', async () => {
    const diary = new Diary();
    class Price {
      @IsInt()
      cents!: number;
    }
    @WebSocketClientController()
    class Desk {
      constructor(private readonly injected: WebSocketClient) {}

      @WsRoute('desk', 'price')
      @UsePipes(new ValidationPipe({ transform: true }))
      price(@MessageBody() price: Price, @ConnectedSocket() client: WebSocketClient): void {
        diary.write(`price ${price.cents} ${price instanceof Price} ${client === this.injected}`);
      }

      @WsRoute('desk', 'count')
      count(client: WebSocketClient, @MessageBody('n', ParseIntPipe) n: number): void {
        diary.write(`count ${n + 1} ${client === this.injected}`);
      }

      @WsRoute('desk', 'plain')
      @WsRoute('desk', 'simple')
      plain(client: WebSocketClient, data: unknown): void {
        diary.write(`plain ${client === this.injected} ${JSON.stringify(data)}`);
      }

      @SubscribeMessage('news')
      news(@MessageBody() data: unknown): void {
        diary.write(`news ${JSON.stringify(data)}`);
      }
    }
    const pair = await Pair.start([Desk]);
    await pair.push('price', { cents: 5 });
    await diary.until('price 5 true true');
    await pair.push('count', { n: '41' });
    await diary.until('count 42 true');
    await pair.push('plain', [1]);
    await pair.push('simple', [2]);
    await diary.until('plain true [2]');
    await pair.push('news', 'flash', 'event');
    await diary.until('news "flash"');
    expect(diary.entries).toHaveLength(5);
  });

  it('hears the messages of the types that belong to the server too', async () => {
    const diary = new Diary();
    @WebSocketClientController()
    class Room {
      @WsRoute('room', 'memberJoined')
      joined(@MessageBody('roomName') roomName: string): void {
        diary.write(`joined ${roomName}`);
      }
    }
    const pair = await Pair.start([Room]);
    await pair.app.app.get(WebSocketClient).join('tea');
    await (await pair.server.client()).join('tea');
    await diary.until('joined tea');
  });

  it('answers what the server asks with what its method returns', async () => {
    @WebSocketClientController()
    class Desk {
      @WsRoute('desk', 'value')
      value(@MessageBody() data: unknown): unknown {
        return { asked: data };
      }

      @WsRoute('desk', 'promise')
      async promise(): Promise<string> {
        return 'kept';
      }

      @WsRoute('desk', 'observable')
      observable(): unknown {
        return of(1, 2, 3);
      }

      @WsRoute('desk', 'iterable')
      async *iterable(): AsyncGenerator<string> {
        yield 'a';
        yield 'b';
      }

      @WsRoute('desk', 'nothing')
      nothing(): void {}
    }
    const pair = await Pair.start([Desk]);
    expect(await pair.call('value', 7)).toEqual({ asked: 7 });
    expect(await pair.call('promise')).toBe('kept');
    expect(await pair.call('observable')).toBe(3);
    expect(await pair.call('iterable')).toBe('b');
    expect(await pair.call('nothing')).toBeNull();
    await expect(pair.call('unheard')).rejects.toMatchObject({ code: 'UNKNOWN_ROUTE' });
  });

  it('answers INTERNAL where what its method returns has no JSON form, and goes on', async () => {
    @WebSocketClientController()
    class Desk {
      @WsRoute('desk', 'big')
      big(): bigint {
        return 5n;
      }

      @WsRoute('desk', 'small')
      small(): number {
        return 5;
      }
    }
    const pair = await Pair.start([Desk]);
    await expect(pair.call('big')).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await pair.call('small')).toBe(5);
  });

  it('can ask the server back before it answers', async () => {
    @WebSocketClientController()
    class Desk {
      @WsRoute('desk', 'time')
      async time(@ConnectedSocket() client: WebSocketClient): Promise<unknown> {
        return client.request('system', 'ping');
      }
    }
    const pair = await Pair.start([Desk]);
    expect(await pair.call('time')).toEqual({ time: expect.any(Number) });
  });

  it('refuses with a code; what it throws by mistake stays in its own log', async () => {
    @WebSocketClientController()
    class Desk {
      @WsRoute('desk', 'taken')
      taken(): never {
        throw new WsError('CONFLICT', 'The table is taken.');
      }

      @WsRoute('desk', 'forbidden')
      forbidden(): never {
        throw new ForbiddenException('Not for you.');
      }

      @WsRoute('desk', 'passed-on')
      passedOn(): never {
        throw new WebSocketClientError('SOLD_OUT', 'There is no more.');
      }

      @WsRoute('desk', 'broken')
      broken(): never {
        throw new Error('the password is 1234');
      }
    }
    const pair = await Pair.start([Desk]);
    const told = async (action: string): Promise<unknown> => {
      const refusal = (await pair.call(action).catch((error: unknown) => error)) as WsError;
      return [refusal.code, (refusal.cause as Error).message];
    };
    expect(await told('taken')).toEqual(['CONFLICT', 'The table is taken.']);
    expect(await told('forbidden')).toEqual(['FORBIDDEN', 'Not for you.']);
    expect(await told('passed-on')).toEqual(['SOLD_OUT', 'There is no more.']);
    expect(pair.log.of('error')).toEqual([]);
    expect(await told('broken')).toEqual(['INTERNAL', 'Internal error.']);
    expect(pair.log.of('error')).toEqual(['Desk.broken failed. the password is 1234']);

    await pair.push('taken');
    await until(() => pair.log.of('warn').length === 1);
    expect(pair.log.of('warn')).toEqual([
      'Desk.taken has refused a message of the server. CONFLICT: The table is taken.',
    ]);
    await pair.push('broken');
    await until(() => pair.log.of('error').length === 2);
    expect(await told('taken')).toEqual(['CONFLICT', 'The table is taken.']);
  });

  it('stands behind its guards, interceptors and filters', async () => {
    const diary = new Diary();
    const guard = (name: string, allows = true): CanActivate => ({
      canActivate: (context: ExecutionContext) => {
        const ws = context.switchToWs();
        const isClient = ws.getClient<object>() instanceof WebSocketClient;
        diary.write(`${name}: ${context.getType()} ${ws.getPattern()} ${String(ws.getData<unknown>())} ${isClient}`);
        return allows;
      },
    });
    const doubled = {
      intercept: (_context: ExecutionContext, next: CallHandler<string>) => next.handle().pipe(map((v) => `${v}${v}`)),
    };
    const apology = { catch: (exception: WsException) => `sorry: ${exception.message}` };
    @WebSocketClientController()
    @UseGuards(guard('class'))
    class Desk {
      @WsRoute('desk', 'open')
      @UseGuards(guard('method'))
      @UseInterceptors(doubled)
      open(): string {
        return 'ha';
      }

      @WsRoute('desk', 'closed')
      @UseGuards(guard('closed', false))
      closed(): void {
        diary.write('never');
      }

      @WsRoute('desk', 'filtered')
      @UseFilters(apology)
      filtered(): never {
        throw new WsException('no tea');
      }

      @WsRoute('desk', 'empty')
      empty(): never {
        throw Reflect.construct(WsException, [undefined]);
      }
    }
    const pair = await Pair.start([Desk]);
    expect(await pair.call('open', 1)).toBe('haha');
    expect(diary.entries).toEqual(['class: ws desk:open 1 true', 'method: ws desk:open 1 true']);
    await expect(pair.call('closed')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await pair.push('closed');
    await until(() => pair.log.of('warn').length === 1);
    expect(await pair.call('filtered')).toBe('sorry: no tea');
    await expect(pair.call('empty')).rejects.toMatchObject({ code: 'APPLICATION' });
    await pair.push('empty');
    await until(() => pair.log.of('warn').length === 2);
    expect(diary.entries).not.toContain('never');
  });

  it('stands behind app-wide guards, unless they are left out', async () => {
    @Injectable()
    class Never implements CanActivate {
      canActivate(): boolean {
        return false;
      }
    }
    @WebSocketClientController()
    class Desk {
      @WsRoute('desk', 'ask')
      ask(): string {
        return 'answered';
      }
    }
    const providers = [Desk, { provide: APP_GUARD, useClass: Never }];
    await expect((await Pair.start(providers)).call('ask')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const without = await Pair.start(providers, { routing: { globalGuards: false } });
    expect(await without.call('ask')).toBe('answered');
  });

  it('answers with what a client of a second copy of the package has thrown', async () => {
    const second = await secondCopy<{ WebSocketClientError: typeof WebSocketClientError }>(
      'client/websocket-client.error',
    );
    expect(second.WebSocketClientError).not.toBe(WebSocketClientError);
    @WebSocketClientController()
    class Desk {
      @WsRoute('desk', 'passes')
      passes(): void {
        throw new second.WebSocketClientError('SOLD_OUT', 'There are none left.');
      }
    }
    const pair = await Pair.start([Desk]);
    await expect(pair.call('passes')).rejects.toMatchObject({ code: 'SOLD_OUT' });
    expect(pair.log.of('error')).toEqual([]);
  });

  it('answers no success where a filter has returned nothing or failed, and can leave app-wide filters out', async () => {
    @Catch()
    class LogsOnly implements ExceptionFilter {
      catch(): void {}
    }
    @WebSocketClientController()
    class Desk {
      @WsRoute('desk', 'silent')
      silent(): void {
        throw new WsError('MINE', 'No.');
      }

      @WsRoute('desk', 'failing')
      @UseFilters({
        catch: () => {
          throw new Error('broken');
        },
      })
      failing(): void {
        throw new WsError('MINE', 'No.');
      }
    }
    const providers = [Desk, { provide: APP_FILTER, useClass: LogsOnly }];
    const pair = await Pair.start(providers);
    await expect(pair.call('silent')).rejects.toMatchObject({ code: 'MINE' });
    await expect(pair.call('failing')).rejects.toMatchObject({ code: 'MINE' });
    expect(pair.log.of('error')).toEqual(['An exception filter of Desk.failing failed. broken']);
    const everything = [Desk, { provide: APP_FILTER, useValue: { catch: () => 'of the application' } }];
    expect(await (await Pair.start(everything)).call('silent')).toBe('of the application');
    const without = await Pair.start(everything, { routing: { globalFilters: false } });
    await expect(without.call('silent')).rejects.toMatchObject({ code: 'MINE' });
  });

  it('is made anew for each message where it is request-scoped', async () => {
    let made = 0;
    @Injectable({ scope: Scope.REQUEST })
    class Context {
      readonly number = ++made;

      constructor(@Inject(REQUEST) readonly client: unknown) {}
    }
    @WebSocketClientController()
    class Desk {
      constructor(private readonly context: Context) {}

      @WsRoute('desk', 'which')
      which(): unknown {
        return [this.context.number, this.context.client instanceof WebSocketClient];
      }
    }
    const pair = await Pair.start([Desk, Context]);
    expect([await pair.call('which'), await pair.call('which')]).toEqual([
      [1, true],
      [2, true],
    ]);
  });

  it('keeps what a guard notes in its async context from other messages', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const gate = new Gate();
    const note: CanActivate = {
      canActivate: (context) => {
        seen.push(storage.getStore());
        storage.enterWith(String(context.switchToWs().getData<unknown>()));
        return true;
      },
    };
    @WebSocketClientController()
    class Desk {
      @WsRoute('desk', 'note')
      @UseGuards(note)
      async note(): Promise<string | undefined> {
        await gate.passed;
        return storage.getStore();
      }
    }
    const pair = await Pair.start([Desk]);
    const answers = [pair.call('note', 'one'), pair.call('note', 'two')];
    await until(() => seen.length === 2);
    gate.open();
    expect(await Promise.all(answers)).toEqual(['one', 'two']);
    expect(seen).toEqual([undefined, undefined]);
  });

  it('goes on after a reconnect, each message handled once', async () => {
    const diary = new Diary();
    @WebSocketClientController()
    class Desk {
      @WsRoute('desk', 'news')
      news(@MessageBody() n: number): void {
        diary.write(`news ${n}`);
      }

      @WsRoute('desk', 'ask')
      ask(): string {
        return 'here';
      }
    }
    const pair = await Pair.start([Desk], { reconnect: { minDelay: 10, maxDelay: 20 } });
    const client = pair.app.app.get(WebSocketClient);
    await pair.push('news', 1);
    await diary.until('news 1');
    const before = client.clientId;
    await pair.server.app.get(WebSocketService).disconnectClients({ clientIds: [before ?? ''], code: 4002 });
    await until(() => client.isClientConnected() && client.clientId !== before);
    await pair.push('news', 2);
    expect(await pair.call('ask')).toBe('here');
    expect(diary.entries).toEqual(['news 1', 'news 2']);
  });

  it('belongs to the client that it names, and handles its messages only', async () => {
    const diary = new Diary();
    @WebSocketClientController('two')
    class Two {
      @WsRoute('desk', 'ask')
      ask(): string {
        return 'two';
      }
    }
    @WebSocketClientController()
    class One {
      @WsRoute('desk', 'ask')
      ask(): string {
        return 'one';
      }

      @WsRoute('desk', 'news')
      news(): void {
        diary.write('one');
      }
    }
    const [first, second] = [await start({}), await start({})];
    const forRoot = ({ url }: TestApp, name?: string) =>
      PxlWebSocketClientModule.forRoot({ url: url(), waitForConnection: 15_000, ...(name && { name }) });
    await start({ options: false, imports: [forRoot(first), forRoot(second, 'two')], providers: [One, Two] });
    const answerOf = async ({ app }: TestApp): Promise<unknown> => {
      const { clients } = await app.get(WebSocketService).fetchClients();
      await app.get(WebSocketService).broadcast({ type: 'desk', action: 'news' });
      return (clients[0] as WsClient).call({ type: 'desk', action: 'ask' });
    };
    expect([await answerOf(first), await answerOf(second)]).toEqual(['one', 'two']);
    expect(diary.entries).toEqual(['one']);
  });

  it('answers no client of the application itself', async () => {
    @WebSocketClientController()
    class Desk {
      @WsRoute('desk', 'ask')
      ask(): string {
        return 'the server only';
      }
    }
    @WebSocketGateway()
    class Counter {
      @WsRoute('counter', 'ask')
      ask(): string {
        return 'everybody';
      }
    }
    const server = await start({});
    const { client } = await start({
      imports: [PxlWebSocketClientModule.forRoot({ url: server.url(), waitForConnection: 15_000 })],
      providers: [Desk, Counter],
    });
    const visitor = await client();
    expect(await visitor.request('counter', 'ask')).toBe('everybody');
    await expect(visitor.request('desk', 'ask')).rejects.toThrow('UNKNOWN_ROUTE');
    const { clients } = await server.app.get(WebSocketService).fetchClients();
    expect(await (clients[0] as WsClient).call({ type: 'desk', action: 'ask' })).toBe('the server only');
    await expect((clients[0] as WsClient).call({ type: 'counter', action: 'ask' })).rejects.toMatchObject({
      code: 'UNKNOWN_ROUTE',
    });
  });
});

describe('a client controller that cannot be fails at start-up', () => {
  const client = PxlWebSocketClientModule.forRoot({ url: 'ws://127.0.0.1:1/ws', name: 'prices' });

  function controller(decorate: (method: MethodDecorator) => void, name = 'prices'): new () => object {
    @WebSocketClientController(name)
    class Desk {
      @WsRoute('desk', 'ask')
      ask(): void {}
    }
    decorate(WsRoute('desk', 'other'));
    return Desk;
  }

  it('for a client that there is not, naming both', async () => {
    const Desk = controller(() => undefined, 'pricse');
    expect(await failureOf({ options: false, imports: [client], providers: [Desk] })).toBe(
      'Desk is a controller of the WebSocket client "pricse", but the clients are "prices": ' +
        'PxlWebSocketClientModule.forRoot(...) makes one, and its option name is what the controller has to name.',
    );
  });

  it('where there is no client at all', async () => {
    expect(await failureOf({ providers: [controller(() => undefined)] })).toBe(
      'Desk is a client controller, but there is no client: import PxlWebSocketClientModule.forRoot({ url }).',
    );
  });

  it('with a route that another method has, naming both', async () => {
    @WebSocketClientController('prices')
    class Other {
      @WsRoute('desk', 'ask')
      wants(): void {}
    }
    expect(
      await failureOf({ options: false, imports: [client], providers: [controller(() => undefined), Other] }),
    ).toBe(
      'The route "desk:ask" of the WebSocket client "prices" has two handlers, Desk.ask and Other.wants: ' +
        'one of them has to go, or to change.',
    );
  });

  it('where it is a gateway too', async () => {
    @WebSocketGateway()
    @WebSocketClientController('prices')
    class Both {
      @WsRoute('desk', 'ask')
      ask(): void {}
    }
    const sentence =
      'Both is both a gateway, which serves clients, and a client controller, which hears a server: ' +
      'make two classes of it.';
    expect(
      await failureOf({ imports: [PxlWebSocketModule.forRoot(), client], options: false, providers: [Both] }),
    ).toBe(sentence);
  });

  it('with what has an effect on gateways only', async () => {
    class Fallback {
      @WsFallback()
      rest(): void {}
    }
    class Limited {
      @WsRateLimit({ limit: 1, ttl: 1_000 })
      @WsRoute('desk', 'ask')
      ask(): void {}
    }
    class Acked {
      @WsRoute('desk', 'ask')
      ask(@Ack() ack: () => void): void {
        ack();
      }
    }
    class Placed {
      @WsRoute('price', 'ask')
      ask(@WsParam('tenant') tenant: string): string {
        return tenant;
      }
    }
    class Queried {
      @WsRoute('price', 'ask')
      ask(@WsQuery() query: unknown): unknown {
        return query;
      }
    }
    @UseConnectionGuards({ canActivate: () => true })
    class Guarded {}
    @UseConnectionPipes({ transform: (value: unknown) => value })
    class Piped {}
    @UseConnectionInterceptors({ intercept: (_context, next) => next.handle() })
    class Surrounded {}
    const sentences: string[] = [];
    for (const Class of [Fallback, Limited, Acked, Placed, Queried, Guarded, Piped, Surrounded]) {
      WebSocketClientController('prices')(Class);
      sentences.push(await failureOf({ options: false, imports: [client], providers: [Class] }));
    }
    expect(sentences).toEqual([
      '@WsFallback() has no effect on Fallback.rest: a client controller handles the routes that it names.',
      '@WsRateLimit(...) has no effect on Limited.ask: it limits what clients of a gateway send.',
      '@Ack() has no effect on Acked.ask: what the method returns is the answer.',
      '@WsParam(...) has no effect on Placed.ask: its client has no upgrade request, it is the one that connects.',
      '@WsQuery(...) has no effect on Queried.ask: its client has no upgrade request, it is the one that connects.',
      '@UseConnectionGuards(...) has no effect on Guarded: nobody connects to it.',
      '@UseConnectionPipes(...) has no effect on Piped: nobody connects to it.',
      '@UseConnectionInterceptors(...) has no effect on Surrounded: nobody connects to it.',
    ]);
  });
});

describe('coming from PXL', () => {
  it('a client and its controllers have the same verbs', async () => {
    const diary = new Diary();
    @Injectable()
    class Database {
      readonly name = 'db';
    }
    @WebSocketClientController()
    class ChatController {
      constructor(
        @InjectWebSocketClient() private readonly client: WebSocketClient,
        private readonly database: Database,
      ) {}

      @WsRoute('chat', 'welcome')
      welcome(client: WebSocketClient, data: unknown): void {
        diary.write(
          `welcome ${this.database.name} ${JSON.stringify(data)} ${client.clientId === this.client.clientId}`,
        );
        this.client.sendMessage({ type: 'chat', action: 'thanks', data: { to: 'all' } });
      }
    }
    class Chat {
      @WsRoute('chat', 'send')
      send(client: WsClient, data: unknown): void {
        diary.write(`sent ${JSON.stringify(data)}`);
        client.send({ type: 'chat', action: 'welcome', data: { room: 'general' } });
      }

      @WsRoute('chat', 'thanks')
      thanks(_client: WsClient, data: unknown): void {
        diary.write(`thanks ${JSON.stringify(data)}`);
      }
    }
    const server = await start({ providers: [Chat], options: { rooms: { open: true } } });
    const sockets: unknown[] = [];
    const joined: Promise<unknown>[] = [];
    const forRoot = PxlWebSocketClientModule.forRoot({
      url: server.url(),
      waitForConnection: 15_000,
      events: {
        onConnected: ({ ws, clientId, joinRoom }) => {
          sockets.push(ws);
          diary.write(`connected ${clientId.length > 0} ${ws instanceof WebSocket} ${ws.readyState}`);
          joined.push(joinRoom({ roomName: 'general', username: 'Robot' }), joinRoom('news'));
        },
        onMessage: ({ ws, clientId, data, redisInstance }) => {
          diary.write(`message ${JSON.stringify(data)} ${ws === sockets.at(-1)} ${redisInstance === null}`);
          expect(clientId).toBe(app.get(WebSocketClient).clientId);
        },
        onDisconnected: () => diary.write('disconnected'),
      },
    });
    const { app } = await start({ options: false, imports: [forRoot], providers: [ChatController, Database] });
    const client = app.get(WebSocketClient);
    const { roomManager } = server.app.get(PxlWebSocketServer);
    expect([client.type, client.isClientConnected()]).toEqual(['client', true]);
    expect(await Promise.all(joined)).toMatchObject([{ roomName: 'general', username: 'Robot' }, { roomName: 'news' }]);
    expect([...roomManager.rooms.keys()]).toEqual(['general', 'news']);
    client.sendClientMessage({ type: 'chat', action: 'send', data: { text: 'Hello server!' } });
    await diary.until('thanks');
    client.disconnect();
    expect(client.isClientConnected()).toBe(false);
    await client.connectToServer();
    expect(diary.entries).toEqual([
      'connected true true 1',
      'sent {"text":"Hello server!"}',
      'message {"type":"chat","action":"welcome","data":{"room":"general"}} true true',
      'welcome db {"room":"general"} true',
      'thanks {"to":"all"}',
      'disconnected',
      'connected true true 1',
    ]);
    expect(new Set(sockets).size).toBe(2);
  });
});
