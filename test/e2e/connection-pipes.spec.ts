import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  BadRequestException,
  createParamDecorator,
  ForbiddenException,
  Inject,
  Injectable,
  NotFoundException,
  ParseIntPipe,
  Scope,
  ServiceUnavailableException,
  UnauthorizedException,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type ArgumentMetadata,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { APP_INTERCEPTOR, APP_PIPE, REQUEST } from '@nestjs/core';
import { Ack, ConnectedSocket, MessageBody, WebSocketGateway, WsException } from '@nestjs/websockets';
import { IsIn } from 'class-validator';
import {
  ClientManager,
  ConnectionCandidate,
  UseConnectionGuards,
  UseConnectionInterceptors,
  UseConnectionPipes,
  WebSocketService,
  WsClient,
  WsError,
  WsParam,
  WsQuery,
  WsRoute,
  WsUser,
  type PxlWebSocketModuleOptions,
  type WsRequestInfo,
} from 'nestjs-pxl-websocket';
import { catchError, concatMap, EMPTY, of, tap, timer, type Observable } from 'rxjs';
import { WebSocketServer, type WebSocket } from 'ws';
import { closeRefusal } from '../support/close-refusal.js';
import { Diary } from '../support/diary.js';
import { failureOf } from '../support/failure-of.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { testsClients } from '../support/test-clients.js';
import { until } from '../support/until.js';
import { upgradeAnswer, upgradeStatus } from '../support/upgrade-answer.js';

const apps: TestApp[] = [];
const newClient = testsClients();
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(test: TestAppOptions): Promise<TestApp> {
  const app = await startApp(test);
  apps.push(app);
  return app;
}

/** An authenticator that takes the token for the user's id. */
const auth: PxlWebSocketModuleOptions['auth'] = {
  authenticate: ({ token }) => (token === undefined ? null : { userId: token, metadata: { plan: 'gold' } }),
};

@Injectable()
class Tenants {
  readonly names = new Map([['acme', 'ACME Ltd.']]);
}

@Injectable()
class TenantPipe implements PipeTransform<string, string> {
  constructor(private readonly tenants: Tenants) {}

  transform(value: string): string {
    const name = this.tenants.names.get(value);
    if (name === undefined) throw new NotFoundException(`There is no ${value}.`);
    return name;
  }
}

const seen: unknown[] = [];
afterEach(() => void (seen.length = 0));

@WebSocketGateway({ path: '/ws/:tenant' })
class TenantGateway {
  handleConnection(
    @ConnectedSocket() client: WsClient,
    @WsParam('tenant', TenantPipe) tenant: string,
    @WsQuery('page', new ParseIntPipe({ optional: true })) page: number | undefined,
  ): void {
    client.metadata.tenant = tenant;
    seen.push([client instanceof WsClient, tenant, page]);
  }

  @WsRoute('tenant', 'name')
  name(client: WsClient): unknown {
    return client.metadata.tenant;
  }
}

/** A gateway whose parameter passes a pipe that does what is given. */
function piped(transform: (value: string, argument: ArgumentMetadata) => unknown): new () => object {
  @WebSocketGateway({ path: '/ws/:tenant' })
  class Piped {
    handleConnection(@WsParam('tenant', { pipes: [{ transform }] }) tenant: unknown): void {
      seen.push(tenant);
    }
  }
  return Piped;
}

describe.each(PLATFORMS)('Pipes of a connection on %s', (platform) => {
  it('make the arguments of handleConnection, and refuse the upgrade of what they refuse', async () => {
    const app = await start({ platform, providers: [TenantGateway, Tenants] });
    const client = await app.client({ path: '/ws/acme?page=2' });
    expect(await client.request('tenant', 'name')).toBe('ACME Ltd.');
    await app.client({ path: '/ws/acme' });
    expect(seen).toEqual([
      [true, 'ACME Ltd.', 2],
      [true, 'ACME Ltd.', undefined],
    ]);
    const { status, body, headers } = await upgradeAnswer(app.port, {}, '/ws/nobody');
    expect([status, body, headers.connection]).toEqual([404, 'Nothing is here.', 'close']);
    const wrong = await upgradeAnswer(app.port, {}, '/ws/acme?page=two');
    expect([wrong.status, wrong.body]).toEqual([400, 'The parameters of the connection were refused.']);
  });
});

describe('A pipe of a connection', () => {
  it('refuses by what it throws, which the client does not read', async () => {
    const failures: [what: string, failure: () => unknown, status: number][] = [
      ['a BadRequestException', () => new BadRequestException('secret'), 400],
      ['a WsError VALIDATION_FAILED', () => new WsError('VALIDATION_FAILED', 'secret'), 400],
      ['a WsError of its own code', () => new WsError('TOO_OLD', 'secret'), 400],
      ['a WsException', () => new WsException('secret'), 400],
      ['a WsError NOT_FOUND', () => new WsError('NOT_FOUND', 'secret'), 404],
      ['an UnauthorizedException', () => new UnauthorizedException('secret'), 401],
      ['a ForbiddenException', () => new ForbiddenException('secret'), 403],
      ['a ServiceUnavailableException', () => new ServiceUnavailableException('secret'), 500],
      ['a WsError UNAVAILABLE', () => new WsError('UNAVAILABLE', 'secret'), 500],
      ['any other error', () => new Error('secret'), 500],
    ];
    const app = await start({
      providers: [
        piped((at) => {
          throw failures[Number(at)]?.[1]();
        }),
      ],
    });
    for (const [at, [what, , status]] of failures.entries()) {
      const answer = await upgradeAnswer(app.port, {}, `/ws/${at}`);
      expect([what, answer.status]).toEqual([what, status]);
      expect(answer.body).not.toContain('secret');
    }
    expect([seen, app.app.get(ClientManager).size]).toEqual([[], 0]);
  });

  it('counts what it refuses, and tells nobody of a client', async () => {
    const logger = new Logbook();
    const connected: string[] = [];
    const events: PxlWebSocketModuleOptions['events'] = {
      onConnected: ({ clientId }) => void connected.push(clientId),
    };
    const app = await start({ logger, options: { events }, providers: [TenantGateway, Tenants] });
    expect(await upgradeStatus(app.port, {}, '/ws/nobody')).toBe(404);
    expect(connected).toEqual([]);
    const counted = app.app
      .get(WebSocketService)
      .getMetrics()
      .filter(({ labels }) => labels?.reason === 'pipe');
    expect(counted).toMatchObject([{ name: 'pxl_ws_authentications_refused_total', value: 1 }]);
    expect(logger.of('debug').join('\n')).toContain(
      'An authentication was refused: a pipe has refused a parameter of the connection (TenantGateway).',
    );
  });

  it('closes with 4522 for clients that read close codes, after which the client library stops', async () => {
    const app = await start({ providers: [TenantGateway, Tenants] });
    expect(await closeRefusal(app.url('/ws/nobody'))).toMatchObject({
      code: 4522,
      told: { error: 'Nothing is here.' },
    });
    expect(await closeRefusal(app.url('/ws/%zz'))).toMatchObject({
      code: 4522,
      told: { error: 'The path is not percent-encoded UTF-8.' },
    });
    const { client, states } = newClient(app.url('/ws/acme?page=two'), {}, undefined, true);
    await expect(client.connect()).rejects.toMatchObject({
      code: 'BAD_MESSAGE',
      message: 'The parameters of the connection were refused.',
      retryable: false,
      closeCode: 4522,
    });
    await until(() => states.at(-1) === 'disconnected:4522');
  });

  it.each(['pxl.v1', 'event.v1'])('answers an authentication by message with its error (%s)', async (codec) => {
    const app = await start({ options: { auth: { ...auth, mode: 'message' } }, providers: [TenantGateway, Tenants] });
    const authenticated = async (path: string): Promise<{ client: TestClient; answer: unknown }> => {
      const client = await TestClient.open(app.url(path), { protocols: [codec] });
      const data = { token: 'ada' };
      client.send(
        codec === 'pxl.v1'
          ? { type: 'system', action: 'authenticate', data, id: 1 }
          : { event: 'authenticate', data, id: 1 },
      );
      for (;;) {
        const answer = (await client.next()) as { id?: unknown };
        if (answer.id === 1) return { client, answer };
      }
    };
    const text = codec === 'pxl.v1' ? 'error' : 'message';
    const sentence = 'Validation failed (numeric string is expected)';
    const refused = await authenticated('/ws/acme?page=two');
    expect(refused.answer).toMatchObject({ data: { [text]: sentence, code: 'VALIDATION_FAILED' } });
    expect(await refused.client.closed).toEqual({ code: 4522, reason: 'parameters refused' });
    const unknown = await authenticated('/ws/nobody');
    expect(unknown.answer).toMatchObject({ data: { [text]: 'There is no nobody.', code: 'NOT_FOUND' } });
    expect((await unknown.client.closed).code).toBe(4522);
    expect([seen, app.app.get(ClientManager).size]).toEqual([[], 0]);
    await authenticated('/ws/acme?page=3');
    await until(() => seen.length > 0);
    expect(seen).toEqual([[true, 'ACME Ltd.', 3]]);
  });

  it('runs once for a client that is connected before it tells who it is', async () => {
    let runs = 0;
    const app = await start({
      options: { auth: { ...auth, mode: 'either', required: false } },
      providers: [piped((value) => `${value} ${++runs}`)],
    });
    const client = await app.client({ path: '/ws/acme' });
    await client.request('system', 'authenticate', { token: 'ada' });
    expect([runs, seen]).toEqual([1, ['acme 1']]);
  });

  it('is asked after the guards', async () => {
    const order: string[] = [];
    const canActivate = (): boolean => order.push('guard') > 1;
    const Piped = piped((value) => order.push('pipe') && value);
    UseConnectionGuards({ canActivate })(Piped);
    const app = await start({ providers: [Piped] });
    expect(await upgradeStatus(app.port, {}, '/ws/a')).toBe(401);
    expect(await upgradeStatus(app.port, {}, '/ws/a')).toBe(101);
    expect(order).toEqual(['guard', 'guard', 'pipe']);
  });

  it('gets what pipes of controllers get, and its decorator sees the candidate', async () => {
    const described: [unknown, unknown][] = [];
    const Plan = createParamDecorator((key: string, context: ExecutionContext) => {
      const client = context.switchToWs().getClient<ConnectionCandidate>();
      return [client instanceof ConnectionCandidate, client.metadata[key], client.ip, context.getClass().name];
    });
    @UseConnectionPipes({
      transform(value: unknown, { type, data, metatype }: ArgumentMetadata) {
        described.push([value, { type, data, metatype }]);
        return value;
      },
    })
    @WebSocketGateway({ path: '/ws/:tenant' })
    class Gateway {
      handleConnection(
        _client: WsClient,
        request: IncomingMessage,
        @WsParam('tenant') tenant: string,
        @WsQuery() query: object,
        @Plan('plan') plan: unknown,
        @WsUser('userId') userId: string,
      ): void {
        seen.push([request.url, tenant, query, plan, userId]);
      }
    }
    const app = await start({ options: { auth }, providers: [Gateway] });
    await TestClient.connect(app.url('/ws/acme?a=1&token=ada'));
    await until(() => seen.length > 0);
    const plan = [true, 'gold', '127.0.0.1', 'Gateway'];
    expect(seen).toEqual([['/ws/acme?a=1&token=ada', 'acme', { a: '1' }, plan, 'ada']]);
    expect(described).toHaveLength(4);
    expect(described).toEqual(
      expect.arrayContaining([
        ['acme', { type: 'param', data: 'tenant', metatype: String }],
        [{ a: '1' }, { type: 'query', data: undefined, metatype: Object }],
        [plan, { type: 'custom', data: 'plan', metatype: Object }],
        ['ada', { type: 'custom', data: 'userId', metatype: String }],
      ]),
    );
  });

  it('may be request-scoped, and comes after those of the gateway', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped implements PipeTransform {
      constructor(@Inject(REQUEST) private readonly request: WsRequestInfo) {}

      transform(value: string): string {
        return `${value} of ${this.request.url}`;
      }
    }
    @UseConnectionPipes({ transform: (value: string) => value.toUpperCase() })
    @WebSocketGateway({ path: '/ws/:tenant' })
    class Gateway {
      handleConnection(@WsParam('tenant', Scoped) tenant: string): void {
        seen.push(tenant);
      }
    }
    const app = await start({ providers: [Gateway] });
    for (const path of ['/ws/a', '/ws/b']) await app.client({ path });
    await until(() => seen.length > 1);
    expect(seen).toEqual(['A of /ws/a', 'B of /ws/b']);
  });

  it('makes no gateway, where that is request-scoped: the hook has its own', async () => {
    let made = 0;
    @WebSocketGateway({ path: '/ws/:tenant' })
    class Gateway {
      constructor(@Inject(REQUEST) private readonly client: WsClient) {
        made++;
      }

      handleConnection(@WsParam('tenant', TenantPipe) tenant: string): void {
        seen.push([this.client instanceof WsClient, tenant, made]);
      }
    }
    Injectable({ scope: Scope.REQUEST })(Gateway);
    const app = await start({ providers: [Gateway, Tenants] });
    expect(await upgradeStatus(app.port, {}, '/ws/nobody')).toBe(404);
    expect(made).toBe(0);
    await app.client({ path: '/ws/acme' });
    await until(() => seen.length > 0);
    expect(seen).toEqual([[true, 'ACME Ltd.', 1]]);
  });

  it('may be a ValidationPipe; those of the application and of messages are not asked', async () => {
    class Page {
      @IsIn(['asc', 'desc'])
      order!: string;
    }
    const refuse: PipeTransform = {
      transform() {
        throw new BadRequestException();
      },
    };
    @UseConnectionPipes(new ValidationPipe({ transform: true, forbidNonWhitelisted: true, whitelist: true }))
    @UsePipes(refuse)
    @WebSocketGateway()
    class Gateway {
      handleConnection(_client: WsClient, _request: IncomingMessage, @WsQuery() page: Page): void {
        seen.push([page instanceof Page, page.order]);
      }
    }
    const app = await start({ providers: [Gateway, { provide: APP_PIPE, useValue: refuse }] });
    await app.client({ path: '/ws?order=asc' });
    await until(() => seen.length > 0);
    expect(seen).toEqual([[true, 'asc']]);
    expect(await upgradeStatus(app.port, {}, '/ws?order=up')).toBe(400);
    expect(await upgradeStatus(app.port, {}, '/ws?order=asc&other=1')).toBe(400);
  });

  it('runs for an adopted socket too, which it can only close', async () => {
    const app = await start({ providers: [TenantGateway, Tenants] });
    const server = new WebSocketServer({ port: 0 });
    await once(server, 'listening');
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const [clientId, path] of [
      ['good', '/ws/acme?page=4'],
      ['bad', '/ws/nobody'],
    ] as const) {
      const connected = once(server, 'connection') as Promise<[WebSocket]>;
      const client = await TestClient.open(url);
      const [ws] = await connected;
      app.app.get(ClientManager).addClient({ clientId, ws, path });
      if (clientId === 'good') expect(await client.request('tenant', 'name')).toBe('ACME Ltd.');
      else expect((await client.closed).code).toBe(1011);
      ws.terminate();
    }
    expect(seen).toEqual([[true, 'ACME Ltd.', 4]]);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('Parameters of handleConnection', () => {
  it('without pipes see the client, and cost the upgrade nothing', async () => {
    const Rooms = createParamDecorator((_data: undefined, context: ExecutionContext) => [
      ...context.switchToWs().getClient<WsClient>().rooms,
    ]);
    @WebSocketGateway({ path: '/ws/:tenant' })
    class Gateway {
      handleConnection(@WsParam() params: object, @Rooms() rooms: string[], @WsQuery('a') a: string): void {
        seen.push([params, rooms, a]);
      }
    }
    const app = await start({ options: { rooms: { defaults: ['lobby'] } }, providers: [Gateway] });
    await app.client({ path: '/ws/acme?a=1' });
    await until(() => seen.length > 0);
    expect(seen).toEqual([[{ tenant: 'acme' }, ['lobby'], '1']]);
  });
});

describe('@UseConnectionInterceptors', () => {
  const diary = new Diary();
  afterEach(() => void (diary.entries.length = 0));

  /** Notes what it surrounds. */
  const around = (name: string): NestInterceptor => ({
    intercept(context: ExecutionContext, next: CallHandler) {
      const client = context.switchToWs().getClient<WsClient>();
      diary.write(`${name} before ${context.getHandler().name} of ${client instanceof WsClient}`);
      return next.handle().pipe(tap({ complete: () => diary.write(`${name} after`) }));
    },
  });

  it('surround handleConnection, the first outermost, and the first message waits for all of them', async () => {
    @Injectable()
    class Slow implements NestInterceptor {
      constructor(private readonly tenants: Tenants) {}

      intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(
          concatMap(() => timer(20)),
          tap(() => diary.write(`slow after ${this.tenants.names.size}`)),
        );
      }
    }
    @UseConnectionInterceptors(around('outer'), Slow, around('inner'))
    @WebSocketGateway({ path: '/ws/:tenant' })
    class Gateway {
      handleConnection(client: WsClient, @WsParam('tenant') tenant: string): void {
        diary.write(`${client.path} ${tenant}`);
      }

      @WsRoute('a', 'b')
      b(): void {
        diary.write('message');
      }
    }
    const app = await start({ providers: [Gateway, Tenants] });
    await (await app.client({ path: '/ws/acme' })).request('a', 'b');
    expect(diary.entries).toEqual([
      'outer before handleConnection of true',
      'inner before handleConnection of true',
      '/ws/:tenant acme',
      'inner after',
      'slow after 1',
      'outer after',
      'message',
    ]);
  });

  it('may hold back the hook, change its failure, or have one: then the connection is closed', async () => {
    const logger = new Logbook();
    let mood: 'pass' | 'skip' | 'forgive' | 'fail' = 'pass';
    @UseConnectionInterceptors({
      intercept(_context: ExecutionContext, next: CallHandler) {
        if (mood === 'fail') throw new Error('no mood');
        return mood === 'skip'
          ? EMPTY
          : next.handle().pipe(
              catchError((error) =>
                mood === 'forgive'
                  ? of(1)
                  : (() => {
                      throw error;
                    })(),
              ),
            );
      },
    })
    @WebSocketGateway()
    class Gateway {
      handleConnection(): void {
        seen.push(mood);
        throw new Error('no hook');
      }
    }
    const app = await start({ logger, providers: [Gateway] });
    for (mood of ['skip', 'forgive'] as const) {
      const client = await app.client();
      client.send({ type: 'system', action: 'ping' });
      await client.next('system', 'pong');
    }
    for (mood of ['pass', 'fail'] as const) expect((await (await app.client()).closed).code).toBe(1011);
    expect(seen).toEqual(['forgive', 'pass']);
    const lines = logger.of('error').join('\n');
    expect(lines).toContain('Gateway.handleConnection failed. no hook');
    expect(lines).toContain('Gateway.handleConnection failed. no mood');
  });

  it('open an async context for the hook, are request-scoped on demand, and run without a hook too', async () => {
    const storage = new AsyncLocalStorage<string>();
    @Injectable({ scope: Scope.REQUEST })
    class Context implements NestInterceptor {
      constructor(@Inject(REQUEST) private readonly client: WsClient) {}

      intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
        return storage.run(this.client.clientId, () => next.handle());
      }
    }
    @UseConnectionInterceptors(Context)
    @WebSocketGateway({ path: '/hooked' })
    class Hooked {
      async handleConnection(client: WsClient): Promise<void> {
        await Promise.resolve();
        seen.push(storage.getStore() === client.clientId);
      }
    }
    const ran = new Gate();
    @UseConnectionInterceptors({
      intercept(_context: ExecutionContext, next: CallHandler) {
        ran.open();
        return next.handle();
      },
    })
    @WebSocketGateway({ path: '/bare' })
    class Bare {}
    const app = await start({ providers: [Hooked, Bare, Context] });
    await app.client({ path: '/hooked' });
    await app.client({ path: '/bare' });
    await ran.passed;
    await until(() => seen.length > 0);
    expect(seen).toEqual([true]);
  });

  it('are the only ones: those of the application and of messages do not run', async () => {
    const other: NestInterceptor = {
      intercept(_context, next) {
        seen.push('other');
        return next.handle();
      },
    };
    @UseConnectionInterceptors(around('own'))
    @UseInterceptors(other)
    @WebSocketGateway()
    class Gateway {
      handleConnection(): void {
        seen.push('hook');
      }
    }
    const app = await start({ providers: [Gateway, { provide: APP_INTERCEPTOR, useValue: other }] });
    await app.client();
    await until(() => seen.length > 0);
    expect(seen).toEqual(['hook']);
  });
});

describe('The start fails', () => {
  @UseConnectionPipes(ParseIntPipe)
  @WebSocketGateway()
  class Undecorated {
    handleConnection(client: WsClient): void {
      client.close();
    }
  }
  @UseConnectionPipes(ParseIntPipe)
  class PipesNowhere {
    @WsRoute('a', 'b')
    b(): void {}
  }
  @UseConnectionInterceptors({ intercept: (_context, next) => next.handle() })
  class InterceptorsNowhere {
    @WsRoute('a', 'b')
    b(): void {}
  }
  class NoPipe {
    transfrom(value: unknown): unknown {
      return value;
    }
  }
  @WebSocketGateway({ path: '/ws/:id' })
  class WrongPipe {
    handleConnection(@WsParam('id', NoPipe as never) id: string): void {
      seen.push(id);
    }
  }
  @UseConnectionInterceptors({} as never)
  @WebSocketGateway()
  class WrongInterceptor {}
  @WebSocketGateway()
  class Body {
    handleConnection(@ConnectedSocket() client: WsClient, @MessageBody() body: unknown): void {
      seen.push(client, body);
    }
  }
  @WebSocketGateway()
  class Acked {
    handleConnection(@Ack() ack: unknown): void {
      seen.push(ack);
    }
  }
  @WebSocketGateway({ path: '/ws/:id' })
  class AtEnd {
    handleDisconnect(@WsParam('id') id: string): void {
      seen.push(id);
    }
  }
  @WebSocketGateway({ path: '/ws/:id' })
  class Misspelt {
    handleConnection(@WsParam('di') id: string): void {
      seen.push(id);
    }
  }

  it.each([
    [Undecorated, '@UseConnectionPipes(...) has no effect on Undecorated: no parameter of its handleConnection has a'],
    [PipesNowhere, '@UseConnectionPipes(...) on PipesNowhere has no effect: it is no gateway.'],
    [InterceptorsNowhere, '@UseConnectionInterceptors(...) on InterceptorsNowhere has no effect: it is no gateway.'],
    [
      WrongPipe,
      'handleConnection of WrongPipe names the class NoPipe, which has no method transform; it has transfrom',
    ],
    [WrongInterceptor, '@UseConnectionInterceptors(...) on WrongInterceptor names an object: it has to have a method'],
    [Body, '@MessageBody() has no effect on Body.handleConnection: a connection brings no message.'],
    [Acked, '@Ack() has no effect on Acked.handleConnection: a connection brings no message.'],
    [AtEnd, '@WsParam(...) has no effect on AtEnd.handleDisconnect: it gets (client, reason, code)'],
    [Misspelt, "@WsParam('di') of Misspelt.handleConnection has no value: it answers on /ws/:id."],
  ])('for %p', async (Class, sentence) => {
    expect(await failureOf({ providers: [Class] })).toContain(sentence);
  });
});
