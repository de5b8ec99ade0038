import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Param,
  ParseIntPipe,
  Query,
  Scope,
  UseGuards,
  UsePipes,
  ValidationPipe,
  type ArgumentMetadata,
  type CanActivate,
  type ExecutionContext,
  type PipeTransform,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { IsIn, IsOptional } from 'class-validator';
import {
  ClientManager,
  PxlWebSocketServer,
  WsParam,
  WsQuery,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
  type WsRequestParams,
  type WsRequestQuery,
} from 'nestjs-pxl-websocket';
import { WebSocketServer, type WebSocket } from 'ws';
import { failureOf } from '../support/failure-of.js';
import { freePort } from '../support/free-port.js';
import { Logbook } from '../support/logbook.js';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { testsClients } from '../support/test-clients.js';
import { claimsOf, hs256, SECRET } from '../support/tokens.js';
import { until } from '../support/until.js';
import { upgradeAnswer, upgradeStatus } from '../support/upgrade-answer.js';

const open: TestApp[] = [];
const newClient = testsClients();

async function start(test: TestAppOptions): Promise<TestApp> {
  const app = await startApp(test);
  open.push(app);
  return app;
}

afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

@WebSocketGateway({ path: '/ws/:tenant' })
class TenantGateway {
  @WsRoute('request', 'show')
  show(@ConnectedSocket() { path, request: { url, params, query } }: WsClient): object {
    return { path, url, params, query };
  }

  @WsRoute('tenant', 'name')
  name(@WsParam('tenant') tenant: string): string {
    return tenant;
  }
}

/** A gateway at a path that answers with its name. */
function gateway(path: string, port = 0): new () => object {
  @WebSocketGateway(port, { path })
  class Gateway {
    @WsRoute('who', 'are')
    who(): string {
      return path;
    }
  }
  return Gateway;
}

describe.each(PLATFORMS)('A path with parameters on %s', (platform) => {
  it('is one endpoint for every value, and for nothing else', async () => {
    const { client, port } = await start({ platform, providers: [TenantGateway] });
    expect(await (await client({ path: '/ws/acme' })).request('request', 'show')).toEqual({
      path: '/ws/:tenant',
      url: '/ws/acme',
      params: { tenant: 'acme' },
      query: {},
    });
    for (const path of ['/ws/', '/ws//', '/ws/acme/', '/ws/a/b', '/WS/acme', '/ws/?tenant=acme', '/x/ws/acme']) {
      expect([path, await upgradeStatus(port, {}, path)]).toEqual([path, 404]);
    }
  });

  it('answers a plain GET with 426, unless the application has a route there', async () => {
    @Controller()
    class Pages {
      @Get('ws/status')
      status(): string {
        return 'status';
      }

      @Get('page/:id')
      page(@Param('id') id: string): string {
        return `page ${id}`;
      }

      @Get('about')
      about(): string {
        return 'about';
      }
    }
    const { origin, client } = await start({
      platform,
      controllers: [Pages],
      providers: [
        TenantGateway,
        gateway('/page/:name'),
        gateway('/:anything'),
        gateway('/:any/:thing/'),
        gateway('/odd/a:b(c)/:x/!d*e'),
      ],
    });
    const answers: Record<string, number | string> = {};
    for (const path of ['/ws/acme', '/ws/%zz', '/ws/status', '/page/7', '/about', '/nothing', '/odd/a:b(c)/1/!d*e']) {
      const response = await fetch(`${origin}${path}`);
      answers[path] = response.ok ? await response.text() : response.status;
    }
    expect(answers).toEqual({
      '/ws/acme': 426,
      '/ws/%zz': 400,
      '/ws/status': 'status',
      '/page/7': 'page 7',
      '/about': 'about',
      '/nothing': 404,
      '/odd/a:b(c)/1/!d*e': 426,
    });
    for (const [path, pattern] of [
      ['/ws/status', undefined],
      ['/page/7', '/page/:name'],
      ['/about', '/:anything'],
      ['/odd/a:b(c)/1/!d*e', '/odd/a:b(c)/:x/!d*e'],
    ] as const) {
      const reached = await client({ path });
      if (pattern) expect(await reached.request('who', 'are')).toBe(pattern);
    }
  });
});

describe('The parameters of a path', () => {
  it('are percent-decoded once, and a malformed one is 400', async () => {
    const { client, port } = await start({ providers: [TenantGateway] });
    const decoded = {
      'a%2Fb': 'a/b',
      '%2525': '%25',
      'caf%C3%A9': 'café',
      'a+b': 'a+b',
      ':tenant': ':tenant',
      ['__proto__']: '__proto__',
      '%00': '\0',
    };
    for (const [segment, tenant] of Object.entries(decoded)) {
      const there = await client({ path: `/ws/${segment}` });
      expect(await there.request('tenant', 'name')).toBe(tenant);
    }
    for (const segment of ['%', '%zz', '%C3', '%ED%A0%80', 'a%2']) {
      const { status, body } = await upgradeAnswer(port, {}, `/ws/${segment}`);
      expect([segment, status, body]).toEqual([segment, 400, 'The path is not percent-encoded UTF-8.']);
    }
  });

  it('come after paths without any, whatever their order', async () => {
    const gateways = [gateway('/ws/:tenant'), gateway('/ws/admin'), gateway('/ws/:tenant/rooms/:room')];
    for (const providers of [gateways, [...gateways].reverse()]) {
      const { client } = await start({ providers });
      for (const [path, pattern] of Object.entries({
        '/ws/acme': '/ws/:tenant',
        '/ws/admin': '/ws/admin',
        '/ws/%61dmin': '/ws/:tenant',
        '/ws/admin/rooms/tea': '/ws/:tenant/rooms/:room',
      })) {
        expect(await (await client({ path })).request('who', 'are')).toBe(pattern);
      }
    }
  });

  it('may be in the path of the module, where each test names the path', async () => {
    @WebSocketGateway()
    class Everywhere {
      @WsRoute('tenant', 'name')
      name(@WsParam('tenant') tenant: string): string {
        return tenant;
      }
    }
    const { app, client } = await start({ options: { path: '/ws/:tenant' }, providers: [Everywhere] });
    expect(app.get(PxlWebSocketServer).getPath()).toBe('/ws/:tenant');
    expect(await (await client({ path: '/ws/acme' })).request('tenant', 'name')).toBe('acme');
    await expect(client()).rejects.toThrow('The path /ws/:tenant of the module has parameters: name the path');
  });

  it('hold at a port of its own too', async () => {
    const port = await freePort();
    await start({ providers: [gateway('/ws/:tenant', port), gateway('/ws/:other')] });
    const own = await TestClient.connect(`ws://127.0.0.1:${port}/ws/acme`);
    expect(await own.request('who', 'are')).toBe('/ws/:tenant');
    expect(await upgradeStatus(port, {}, '/ws/%zz')).toBe(400);
    expect(await upgradeStatus(port, {}, '/ws')).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}/ws/acme`)).status).toBe(426);
  });

  it('key the options of the endpoint by the pattern', async () => {
    const auth: PxlWebSocketModuleOptions['auth'] = {
      authenticate: ({ token, request: { params } }) =>
        token !== undefined && token === params.tenant && { userId: token },
    };
    @Module({ providers: [TenantGateway] })
    class Tenants {}
    const logger = new Logbook();
    const { port } = await start({
      logger,
      options: { endpoints: { '/ws/:tenant': { auth, protocol: 'event' } } },
      imports: [Tenants],
    });
    expect(await upgradeStatus(port, { Authorization: 'Bearer acme' }, '/ws/acme')).toBe(101);
    expect(await upgradeStatus(port, { Authorization: 'Bearer acme' }, '/ws/other')).toBe(401);
    expect(await upgradeStatus(port)).toBe(101);
    expect(logger.of('log').join('\n')).toContain('/ws/:tenant (event.v1)');
  });

  it('stay with a client that reconnects', async () => {
    const { app, url } = await start({ providers: [TenantGateway] });
    const reconnect = { minDelay: 1, maxDelay: 1 };
    const { client } = newClient(url('/ws/caf%C3%A9?x=1'), { reconnect });
    await client.connect();
    const first = client.clientId;
    (app.get(ClientManager).getClients()[0] as WsClient).ws.terminate();
    await until(() => client.state === 'connected' && client.clientId !== first);
    expect(await client.request('request', 'show')).toMatchObject({ params: { tenant: 'café' }, query: { x: '1' } });
  });

  it('of an adopted socket are those of the path that it is given', async () => {
    const { app } = await start({ options: { path: '/ws/:tenant' }, providers: [TenantGateway] });
    const { ws, client, close } = await foreignSocket();
    const clients = app.get(ClientManager);
    expect(() => clients.addClient({ clientId: 'one', ws })).toThrow(
      'The path /ws/:tenant has parameters: addClient needs the path of the socket.',
    );
    expect(() => clients.addClient({ clientId: 'one', ws, path: '/nowhere?a=1' })).toThrow(
      'There is no endpoint at the path /nowhere.',
    );
    expect(() => clients.addClient({ clientId: 'one', ws, path: '/ws/%zz' })).toThrow('not percent-encoded UTF-8');
    expect(clients.size).toBe(0);
    clients.addClient({ clientId: 'one', ws, path: '/ws/a%2Fb?since=3' });
    expect(await client.request('request', 'show')).toEqual({
      path: '/ws/:tenant',
      url: '/ws/a%2Fb?since=3',
      params: { tenant: 'a/b' },
      query: { since: '3' },
    });
    await close();
  });
});

describe('The query of an upgrade', () => {
  it('has a list for a name that stands there twice, and no prototype', async () => {
    let seen: WsRequestQuery | undefined;
    @WebSocketGateway({ path: '/ws/:tenant' })
    class Gateway {
      handleConnection({ request }: WsClient): void {
        seen = request.query;
      }
    }
    const { client } = await start({ providers: [Gateway] });
    await client({ path: '/ws/a?tag=x&tag=y%20z&empty&plus=a+b&bad=%zz&__proto__=p&constructor=c' });
    expect({ ...seen }).toEqual({
      tag: ['x', 'y z'],
      empty: '',
      plus: 'a b',
      bad: '%zz',
      constructor: 'c',
    });
    expect(Object.getPrototypeOf(seen)).toBeNull();
    expect([Object.isFrozen(seen), Object.isFrozen(seen?.tag)]).toEqual([true, true]);
  });

  it('tells no token that auth reads there, and nothing else of the library', async () => {
    const presence: PxlWebSocketModuleOptions = { rooms: { presence: true }, encryption: true };
    const token = hs256(claimsOf('ada'));
    const path = `/ws/acme?token=${token}&%74oken=${token}&publicKey=k&resume=r&page=2`;
    const queryWith = async (options: PxlWebSocketModuleOptions): Promise<unknown> => {
      const { client } = await start({ options, providers: [TenantGateway] });
      const answer = await (await client({ path })).request('request', 'show');
      return Object.keys((answer as { query: object }).query);
    };
    expect(await queryWith({ auth: { jwt: { secret: SECRET } }, rooms: presence.rooms! })).toEqual([
      'publicKey',
      'page',
    ]);
    expect(await queryWith({})).toEqual(['token', 'publicKey', 'resume', 'page']);
    const auth: PxlWebSocketModuleOptions['auth'] = { authenticate: () => ({ userId: 'ada' }), tokenFrom: ['header'] };
    expect(await queryWith({ auth })).toEqual(['token', 'publicKey', 'resume', 'page']);
  });
});

/** A Standard Schema that takes everything. */
const SCHEMA = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;

/** The value, where its pipe gets the schema of the parameter. */
function schemaOf(value: unknown, argument: ArgumentMetadata): unknown {
  const { schema } = argument as { schema?: unknown };
  if (schema !== SCHEMA) throw new Error('There is no schema.');
  return value;
}

describe('@WsParam and @WsQuery', () => {
  class Page {
    @IsIn(['asc', 'desc'])
    @IsOptional()
    order?: string;
  }

  @Injectable()
  class Upper implements PipeTransform {
    transform(value: string): string {
      return value.toUpperCase();
    }
  }

  @WebSocketGateway({ path: '/ws/:tenant/:id' })
  class Gateway {
    @WsRoute('all', 'of')
    all(@WsParam() params: WsRequestParams, @WsQuery() query: WsRequestQuery, @WsQuery('none') none: unknown): object {
      return { params, query, none: String(none) };
    }

    @WsRoute('piped', 'of')
    piped(
      @WsParam('tenant', Upper) tenant: string,
      @WsParam('id', ParseIntPipe) id: number,
      @MessageBody('n', ParseIntPipe) n: number,
    ): object {
      return { tenant, id, n };
    }

    @WsRoute('page', 'of')
    @UsePipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }))
    page(@WsQuery() page: Page, @WsParam('id') id: number): object {
      return { isPage: page instanceof Page, order: page.order, id };
    }

    @WsRoute('schema', 'of')
    schema(
      @WsParam('id', { schema: SCHEMA, pipes: [{ transform: schemaOf }, ParseIntPipe] }) id: number,
      @WsQuery({ schema: SCHEMA, pipes: [{ transform: schemaOf }] }) query: object,
    ): object {
      return { id, query };
    }

    @WsRoute('nest', 'of')
    nest(@Param('tenant') tenant: string, @Query('order') order: string): object {
      return { tenant, order };
    }
  }

  it('give parts of the request, through pipes as @Param and @Query of controllers do', async () => {
    const { client } = await start({ providers: [Gateway] });
    const good = await client({ path: '/ws/acme/7?order=asc' });
    expect(await good.request('all', 'of')).toEqual({
      params: { tenant: 'acme', id: '7' },
      query: { order: 'asc' },
      none: 'undefined',
    });
    expect(await good.request('piped', 'of', { n: '3' })).toEqual({ tenant: 'ACME', id: 7, n: 3 });
    expect(await good.request('page', 'of')).toEqual({ isPage: true, order: 'asc', id: 7 });
    expect(await good.request('schema', 'of')).toEqual({ id: 7, query: { order: 'asc' } });
    expect(await good.request('nest', 'of')).toEqual({ tenant: 'acme', order: 'asc' });
  });

  it('answer what a pipe refuses with its error, and the connection stays', async () => {
    const { client } = await start({ providers: [Gateway] });
    const bad = await client({ path: '/ws/acme/seven?order=up&__proto__=x' });
    await expect(bad.request('piped', 'of', { n: '3' })).rejects.toThrow('VALIDATION_FAILED');
    await expect(bad.request('page', 'of')).rejects.toThrow('VALIDATION_FAILED');
    expect(await bad.request('all', 'of')).toMatchObject({ params: { id: 'seven' } });
  });

  it('are seen by guards and request-scoped providers', async () => {
    @Injectable()
    class SameTenant implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        const { params } = context.switchToWs().getClient<WsClient>().request;
        return params.tenant === context.switchToWs().getData<{ tenant: string }>().tenant;
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {
      constructor(@Inject(REQUEST) private readonly client: WsClient) {}

      get name(): string | undefined {
        return this.client.request.params.tenant;
      }
    }
    @WebSocketGateway({ path: '/ws/:tenant' })
    class Scoped {
      constructor(private readonly tenant: Tenant) {}

      @UseGuards(SameTenant)
      @WsRoute('tenant', 'name')
      name(@WsParam('tenant', Upper) upper: string): object {
        return { name: this.tenant.name, upper };
      }
    }
    const { client } = await start({ providers: [Scoped, Tenant] });
    const acme = await client({ path: '/ws/acme' });
    expect(await acme.request('tenant', 'name', { tenant: 'acme' })).toEqual({ name: 'acme', upper: 'ACME' });
    await expect(acme.request('tenant', 'name', { tenant: 'other' })).rejects.toThrow('FORBIDDEN');
  });
});

describe('The start fails', () => {
  it.each([
    [['/ws/:tenant', '/ws/:room'], 'The paths /ws/:room and /ws/:tenant both fit /ws/x: of patterns, only one may fit'],
    [['/ws/:a/x', '/ws/:a/:b'], 'both fit /ws/x/x'],
    [['/:a/x', '/ws/:b'], 'both fit /ws/x'],
    [
      ['/ws/:1'],
      'The path "/ws/:1" of a @WebSocketGateway() cannot be: :1 is no parameter, which is a colon and a name',
    ],
    [['/ws/:a-b'], ':a-b is no parameter'],
    [['/ws/:'], ': is no parameter'],
    [['/:a/:a'], 'it has the parameter :a twice'],
  ])('for the paths %j', async (paths, sentence) => {
    expect(await failureOf({ providers: paths.map((path) => gateway(path)) })).toContain(sentence);
  });

  it.each<[PxlWebSocketModuleOptions, string]>([
    [{ path: '/ws/:a?' }, `The option path is a path like '/ws' or '/ws/:tenant', without a query, not "/ws/:a?"`],
    [{ path: '/ws/:a.json' }, 'not "/ws/:a.json": :a.json is no parameter'],
    [
      { endpoints: { '/ws/:a-': {} } },
      `The option endpoints["/ws/:a-"] is named by a path like '/admin' or '/ws/:tenant'`,
    ],
    [{ endpoints: { '/ws/acme': {} } }, 'The option endpoints names /ws/acme, but the endpoints are /ws/:tenant, /ws.'],
  ])('for the options %j', async (options, sentence) => {
    expect(await failureOf({ options, providers: [TenantGateway] })).toContain(sentence);
  });

  it('for a parameter that no path of the gateway has', async () => {
    @WebSocketGateway({ path: '/ws/:tenant' })
    class Misspelt {
      @WsRoute('tenant', 'name')
      name(@WsParam('tenent') tenant: string): string {
        return tenant;
      }
    }
    expect(await failureOf({ providers: [Misspelt] })).toBe(
      "@WsParam('tenent') of Misspelt.name has no value: it answers on /ws/:tenant.",
    );
  });
});

/** A socket of another ws server, with its client. */
async function foreignSocket(): Promise<{ ws: WebSocket; client: TestClient; close: () => Promise<unknown> }> {
  const server = new WebSocketServer({ port: 0 });
  await once(server, 'listening');
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const client = await TestClient.open(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [ws] = await connected;
  return {
    ws,
    client,
    close: () => {
      ws.terminate();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
