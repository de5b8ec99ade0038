import { afterEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  getWebSocketClientToken,
  InjectWebSocketClient,
  PxlWebSocketClientModule,
  WebSocketClientController,
  WebSocketService,
  WsRoute,
  type PxlWebSocketClientModuleOptions,
  type PxlWebSocketClientOptionsFactory,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';
import { concat, NEVER, of, tap, type Observable } from 'rxjs';
import { WebSocket } from 'ws';
import { ChildProgram } from '../support/child-program.js';
import { Diary } from '../support/diary.js';
import { failureOf } from '../support/failure-of.js';
import { freePort } from '../support/free-port.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { PxlFrameworkServer } from '../support/seed-servers.js';
import { createApp, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { claimsOf, hs256, SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';

const open: TestApp[] = [];

async function start(test: TestAppOptions): Promise<TestApp> {
  const app = await startApp(test);
  open.push(app);
  return app;
}

afterEach(async () => {
  for (const app of open.splice(0).reverse()) await app.close();
});

/** The server of the tests: it answers `desk.who`, and notes who comes and goes. */
async function startServer(test: TestAppOptions = {}): Promise<TestApp & { diary: Diary }> {
  const diary = new Diary();
  class Desk {
    @WsRoute('desk', 'who')
    who({ user, request }: WsClient, data: unknown): unknown {
      return { user: user?.userId ?? null, agent: request.headers['x-agent'] ?? null, data };
    }
  }
  const events = {
    onConnected: () => diary.write('connected'),
    onDisconnected: ({ code }: { code: number }) => diary.write(`disconnected ${code}`),
  };
  const app = await start({ ...test, options: { events, ...test.options }, providers: [Desk] });
  return { ...app, diary };
}

/** An application without a server of its own. */
function startClients(imports: TestAppOptions['imports'], more: TestAppOptions = {}): Promise<TestApp> {
  return start({ ...more, options: false, imports });
}

describe('PxlWebSocketClientModule', () => {
  it('gives the application a client that is connected once it has started', async () => {
    const { url } = await startServer();
    const seen: boolean[] = [];
    class Office implements OnApplicationBootstrap {
      constructor(
        readonly byClass: WebSocketClient,
        @InjectWebSocketClient() readonly byDecorator: WebSocketClient,
      ) {}

      onApplicationBootstrap(): void {
        seen.push(this.byClass.isClientConnected());
      }
    }
    const { app } = await startClients([PxlWebSocketClientModule.forRoot({ url: url(), waitForConnection: 15_000 })], {
      providers: [Office],
    });
    const { byClass, byDecorator } = app.get(Office);
    expect(seen).toEqual([true]);
    expect(byClass).toBe(byDecorator);
    expect(byClass).toBe(app.get(getWebSocketClientToken()));
    expect(await byClass.request('desk', 'who', 7)).toEqual({ user: null, agent: null, data: 7 });
  });

  it('is a client of servers that are not ours, too', async () => {
    const server = await new PxlFrameworkServer().listen();
    const diary = new Diary();
    server.controllers.set('price:buy', (symbol) => ({ bought: symbol }));
    @WebSocketClientController()
    class Prices {
      @WsRoute('price', 'changed')
      changed(@MessageBody() price: number): void {
        diary.write(`price ${price}`);
      }
    }
    try {
      const options = { url: server.url, server: 'other', waitForConnection: 15_000 } as const;
      const { app } = await startClients([PxlWebSocketClientModule.forRoot(options)], { providers: [Prices] });
      expect(await app.get(WebSocketClient).request('price', 'buy', 'tea')).toEqual({ bought: 'tea' });
      server.send(server.last, { type: 'price', action: 'changed', data: 7 });
      await diary.until('price 7');
    } finally {
      await server.close();
    }
  });

  it('takes its options from elsewhere, later', async () => {
    const { url } = await startServer();
    const URL_TOKEN = Symbol('url');
    @Module({ providers: [{ provide: URL_TOKEN, useFactory: () => url() }], exports: [URL_TOKEN] })
    class SettingsModule {}
    @Injectable()
    class Settings implements PxlWebSocketClientOptionsFactory {
      constructor(@Inject(URL_TOKEN) private readonly address: string) {}

      create(): PxlWebSocketClientModuleOptions {
        return { url: this.address, waitForConnection: 15_000 };
      }
    }
    const { app } = await startClients([
      PxlWebSocketClientModule.forRootAsync({
        name: 'by factory',
        imports: [SettingsModule],
        inject: [URL_TOKEN],
        useFactory: async (...[address]: unknown[]) => ({ url: String(address), waitForConnection: 15_000 }),
      }),
      PxlWebSocketClientModule.forRootAsync({ name: 'by class', imports: [SettingsModule], useClass: Settings }),
    ]);
    for (const name of ['by factory', 'by class']) {
      const client = app.get<WebSocketClient>(getWebSocketClientToken(name));
      expect(await client.request('desk', 'who')).toMatchObject({ user: null });
    }
  });

  it('keeps several clients by their names, each with its server', async () => {
    const auth = { jwt: { secret: SECRET } };
    const [anybody, members] = [await startServer(), await startServer({ options: { auth } })];
    class Office {
      constructor(
        @InjectWebSocketClient() readonly first: WebSocketClient,
        @InjectWebSocketClient('vault') readonly second: WebSocketClient,
      ) {}
    }
    const { app } = await startClients(
      [
        PxlWebSocketClientModule.forRoot({ url: anybody.url(), socketOptions: { headers: { 'x-agent': 'nest' } } }),
        PxlWebSocketClientModule.forRoot({
          name: 'vault',
          url: members.url(),
          getToken: () => hs256(claimsOf('office')),
          webSocket: WebSocket,
        }),
      ],
      { providers: [Office] },
    );
    const { first, second } = app.get(Office);
    expect(await first.request('desk', 'who')).toMatchObject({ user: null, agent: 'nest' });
    expect(await second.request('desk', 'who')).toMatchObject({ user: 'office', agent: null });
  });

  it('is seen by the modules that import it only, where it is not global', async () => {
    const { url } = await startServer();
    class Outside {
      constructor(@InjectWebSocketClient('local') readonly client: WebSocketClient) {}
    }
    const local = PxlWebSocketClientModule.forRoot({ url: url(), name: 'local', isGlobal: false });
    @Module({ imports: [local] })
    class InsideModule {}
    const sentence = await failureOf({ options: false, imports: [InsideModule], providers: [Outside] });
    expect(sentence).toContain('WebSocketClient(local)');
    expect(sentence).toContain('Outside');
  });

  it('works without an HTTP server', async () => {
    const { url, diary } = await startServer();
    @Module({ imports: [PxlWebSocketClientModule.forRoot({ url: url(), waitForConnection: 15_000 })] })
    class WorkerModule {}
    const context = await NestFactory.createApplicationContext(WorkerModule, { logger: false, abortOnError: false });
    expect(context.get(WebSocketClient).isClientConnected()).toBe(true);
    await context.close();
    await diary.until('disconnected 1000');
  });

  it('leaves nothing that would keep the process alive', async () => {
    const { port } = await startServer();
    const child = new ChildProgram('closing-client', String(port));
    expect(await child.next()).toEqual({ answer: { user: null, agent: null, data: 'Hi' } });
    expect(await child.exited).toEqual({ code: 0, signal: null, errors: '' });
  });
});

describe('a server that is away when the application starts', () => {
  @WebSocketGateway()
  class EchoDesk {
    @WsRoute('desk', 'who')
    who(@MessageBody() data: unknown): unknown {
      return data;
    }
  }

  const settings = { reconnect: { minDelay: 20, maxDelay: 50 } };

  it('holds nothing up, and is found when it comes', async () => {
    const port = await freePort();
    const logger = new Logbook();
    const { app } = await startClients(
      [PxlWebSocketClientModule.forRoot({ url: `ws://127.0.0.1:${port}/ws`, ...settings })],
      { logger },
    );
    const client = app.get(WebSocketClient);
    await until(() => client.getConnectionStatus().reconnectAttempts > 2);
    const asked = client.request('desk', 'who', 'Anybody there?');
    const server = await createApp({ providers: [EchoDesk], logger });
    await server.listen(port, '127.0.0.1');
    try {
      expect(await asked).toBe('Anybody there?');
    } finally {
      client.disconnect();
      await server.close();
    }
    expect(logger.of('warn')).toEqual([
      expect.stringMatching(/^The client "default" has no connection and goes on trying\. /),
    ]);
    expect(logger.of('log')).toContain('The client "default" is connected.');
  });

  it('is waited for as long as the application wants to', async () => {
    const url = `ws://127.0.0.1:${await freePort()}/ws`;
    const forRoot = PxlWebSocketClientModule.forRoot({ url, waitForConnection: 100, ...settings });
    expect(await failureOf({ options: false, imports: [forRoot] })).toBe(
      'The WebSocket client "default" could not connect: there was no connection within 100 ms.',
    );
  });

  it('is not waited for when it refuses for good', async () => {
    const { url } = await startServer({ options: { auth: { jwt: { secret: SECRET } } } });
    const forRoot = PxlWebSocketClientModule.forRoot({ url: url(), name: 'vault', waitForConnection: 60_000 });
    expect(await failureOf({ options: false, imports: [forRoot] })).toMatch(
      /^The WebSocket client "vault" could not connect: Unauthorized\.$/,
    );
  });
});

describe('the log', () => {
  it('tells when a client gives up, or is told to', async () => {
    const server = await startServer();
    const logger = new Logbook();
    const forRoot = PxlWebSocketClientModule.forRoot({ url: server.url(), waitForConnection: 15_000, name: 'prices' });
    const { app } = await startClients([forRoot], { logger });
    const client = app.get<WebSocketClient>(getWebSocketClientToken('prices'));
    await server.app.get(WebSocketService).disconnectClients({ clientIds: [client.clientId ?? ''] });
    await until(() => client.state === 'disconnected');
    expect(logger.of('error')).toEqual([
      'The client "prices" has no connection and has given up. disconnected by the server',
    ]);
    await client.connect();
    client.disconnect();
    expect(logger.of('error')).toHaveLength(1);
    expect(logger.of('log').filter((line) => line.startsWith('The client'))).toEqual([
      'The client "prices" is connected.',
      'The client "prices" is connected.',
      expect.stringContaining('The client "prices" has disconnected.'),
    ]);
  });

  it("tells of handlers of the application's own that throw, unless it wants to hear that itself", async () => {
    const server = await startServer();
    const logger = new Logbook();
    const heard: unknown[] = [];
    const options = { url: server.url(), waitForConnection: 15_000 };
    const onError = ({ error }: { error: unknown }): void => void heard.push(error);
    const { app } = await startClients(
      [
        PxlWebSocketClientModule.forRoot(options),
        PxlWebSocketClientModule.forRoot({ ...options, name: 'other', events: Object.freeze({ onError }) }),
      ],
      { logger },
    );
    const oops = new Error('oops');
    for (const name of [undefined, 'other']) {
      app.get<WebSocketClient>(getWebSocketClientToken(name)).on('desk', 'news', () => {
        throw oops;
      });
    }
    await server.app.get(WebSocketService).broadcast({ type: 'desk', action: 'news' });
    await until(() => heard.length === 1 && logger.of('error').length === 1);
    expect(heard).toEqual([oops]);
    expect(logger.of('error')).toEqual(['The client "default": oops']);
  });
});

describe('the end of the application', () => {
  it('is the end of the connection, after what other providers still send', async () => {
    const { url, diary } = await startServer();
    class Farewell implements OnModuleDestroy {
      constructor(@InjectWebSocketClient() private readonly client: WebSocketClient) {}

      async onModuleDestroy(): Promise<void> {
        diary.write(JSON.stringify(await this.client.request('desk', 'who', 'bye')));
      }
    }
    const { close } = await startClients(
      [PxlWebSocketClientModule.forRoot({ url: url(), waitForConnection: 15_000 })],
      {
        providers: [Farewell],
      },
    );
    await close();
    await diary.until('disconnected');
    expect(diary.entries).toEqual(['connected', '{"user":null,"agent":null,"data":"bye"}', 'disconnected 1000']);
  });

  it('comes after the requests that its own gateways still answer', async () => {
    const { url } = await startServer();
    const gate = new Gate();
    const asked = new Gate();
    @WebSocketGateway()
    class Front {
      constructor(@InjectWebSocketClient() private readonly upstream: WebSocketClient) {}

      @WsRoute('front', 'who')
      async who(): Promise<unknown> {
        asked.open();
        await gate.passed;
        return this.upstream.request('desk', 'who', 'late');
      }
    }
    const { client, close } = await start({
      imports: [PxlWebSocketClientModule.forRoot({ url: url(), waitForConnection: 15_000 })],
      providers: [Front],
    });
    const visitor = await client();
    const answer = visitor.request('front', 'who');
    await asked.passed;
    const closed = close();
    gate.open();
    expect(await answer).toMatchObject({ data: 'late' });
    await closed;
  });

  it('waits for handlers that run, whose answers still arrive, and lets no other begin', async () => {
    const server = await startServer();
    const diary = new Diary();
    const gate = new Gate<string>();
    @WebSocketClientController()
    class Slow {
      @WsRoute('slow', 'question')
      async question(): Promise<string> {
        diary.write('asked');
        return gate.passed;
      }

      @WsRoute('slow', 'news')
      news(@MessageBody() n: number): void {
        diary.write(`news ${n}`);
      }
    }
    const { close } = await startClients(
      [PxlWebSocketClientModule.forRoot({ url: server.url(), waitForConnection: 15_000 })],
      { providers: [Slow] },
    );
    const [client] = (await server.app.get(WebSocketService).fetchClients()).clients as WsClient[];
    const answered = client!.call({ type: 'slow', action: 'question' });
    await diary.until('asked');
    const closed = close();
    const sockets = server.app.get(WebSocketService);
    await sockets.broadcast({ type: 'slow', action: 'news', data: 1 });
    await expect(client!.call({ type: 'slow', action: 'question' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    gate.open('at last');
    expect(await answered).toBe('at last');
    await closed;
    expect(diary.entries).toEqual(['asked']);
  });

  it('ends the streams that handlers have begun', async () => {
    const server = await startServer();
    @WebSocketClientController()
    class Endless {
      @WsRoute('slow', 'question')
      question(): Observable<string> {
        return concat(of('the last word'), NEVER).pipe(
          tap({ subscribe: () => server.diary.write('asked'), unsubscribe: () => server.diary.write('ended') }),
        );
      }
    }
    const { close } = await startClients(
      [PxlWebSocketClientModule.forRoot({ url: server.url(), waitForConnection: 15_000 })],
      { providers: [Endless] },
    );
    const [client] = (await server.app.get(WebSocketService).fetchClients()).clients as WsClient[];
    const answered = client!.call({ type: 'slow', action: 'question' });
    await server.diary.until('asked');
    await close();
    expect(await answered).toBe('the last word');
    expect(server.diary.entries).toContain('ended');
  });

  it('does not wait for ever', async () => {
    const server = await startServer();
    @WebSocketClientController()
    class Stuck {
      @WsRoute('slow', 'question')
      question(): Promise<never> {
        server.diary.write('asked');
        return new Promise(() => undefined);
      }
    }
    const { close } = await startClients(
      [PxlWebSocketClientModule.forRoot({ url: server.url(), waitForConnection: 15_000, shutdown: { timeout: 30 } })],
      { providers: [Stuck] },
    );
    await server.app.get(WebSocketService).broadcast({ type: 'slow', action: 'question' });
    await server.diary.until('asked');
    await close();
    await server.diary.until('disconnected 1000');
  });
});

describe('what cannot work fails at start-up', () => {
  const url = 'ws://127.0.0.1:1/ws';
  const forRoot = (options: Partial<PxlWebSocketClientModuleOptions> & { name?: string } = {}) =>
    PxlWebSocketClientModule.forRoot({ url, ...options });

  it('two clients of one name, naming both servers, without what may be secret', async () => {
    const other = PxlWebSocketClientModule.forRoot({
      url: 'wss://me:secret@example.com/ws?token=secret',
      name: 'prices',
    });
    expect(await failureOf({ options: false, imports: [forRoot({ name: 'prices' }), other] })).toBe(
      'Two WebSocket clients have the name "prices", that of ws://127.0.0.1:1/ws and that of wss://example.com/ws: ' +
        'name one of them otherwise.',
    );
  });

  it('a client that is injected and does not exist, naming who wants it', async () => {
    class Office {
      constructor(@InjectWebSocketClient('pricse') readonly prices: WebSocketClient) {}
    }
    const sentence = await failureOf({ options: false, imports: [forRoot({ name: 'prices' })], providers: [Office] });
    expect(sentence).toContain('Office');
    expect(sentence).toContain('WebSocketClient(pricse)');
  });

  it.each<[string, PxlWebSocketClientModuleOptions & { name?: string }, string]>([
    ['a url', { url: 'ftp://example.com', name: 'files' }, '(of the WebSocket client "files")'],
    [
      'an option that there is not',
      { url, reconect: false } as PxlWebSocketClientModuleOptions,
      'There is no option reconect; did you mean reconnect? There are url,',
    ],
    [
      'an event that there is not',
      { url, events: { onConnect: () => undefined } } as PxlWebSocketClientModuleOptions,
      'There is no option events.onConnect; did you mean onConnected? There are onConnected,',
    ],
    [
      'a time to wait',
      { url, waitForConnection: 0 },
      'The option waitForConnection is a whole number from 1 to 2147483647, or false, not 0.',
    ],
    [
      'a group of options',
      { url, routing: { guards: false } as object },
      'There is no option routing.guards; did you mean globalGuards? There are globalGuards, globalFilters.',
    ],
    [
      'the options of sockets',
      { url, socketOptions: 7 } as unknown as PxlWebSocketClientModuleOptions,
      'The option socketOptions is an object, not 7.',
    ],
    [
      'options of sockets that another class makes',
      { url, socketOptions: {}, webSocket: WebSocket },
      'The option socketOptions is left out where webSocket makes the sockets, not an object.',
    ],
    ['a name', { url, name: '' }, 'The name of a WebSocket client is a text, not "".'],
  ])('%s', async (_what, options, sentence) => {
    expect(await failureOf({ options: false, imports: [PxlWebSocketClientModule.forRoot(options)] })).toContain(
      sentence,
    );
  });

  it('options that a factory has forgotten to return', async () => {
    const forgotten = PxlWebSocketClientModule.forRootAsync({
      useFactory: () => undefined as unknown as PxlWebSocketClientModuleOptions,
    });
    expect(await failureOf({ options: false, imports: [forgotten] })).toBe(
      'The options of PxlWebSocketClientModule are an object with the url of a server.',
    );
  });
});
