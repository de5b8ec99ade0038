import { describe, expect, it } from '@jest/globals';
import {
  Catch,
  Inject,
  Injectable,
  Scope,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import {
  APP_FILTER,
  APP_GUARD,
  APP_INTERCEPTOR,
  APP_PIPE,
  ContextIdFactory,
  REQUEST,
  type ContextId,
  type ContextIdStrategy,
  type HostComponentInfo,
} from '@nestjs/core';
import { MessageBody, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import {
  WsClient,
  WsRoute,
  type ConnectionCandidate,
  type WsRoomRequest,
  type WsCredentials,
} from 'nestjs-pxl-websocket';
import type { Server } from 'ws';
import { map, of } from 'rxjs';
import { Diary } from '../support/diary.js';
import { Logbook } from '../support/logbook.js';
import { PLATFORMS, type TestAppOptions, startsOneApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';

const start = startsOneApp();

let made = 0;

@Injectable({ scope: Scope.REQUEST })
class PerMessage {
  readonly number = ++made;
  constructor(@Inject(REQUEST) readonly client: WsClient) {}
}

describe.each(PLATFORMS)('a request-scoped gateway on %s', (platform) => {
  const diary = new Diary();

  @WebSocketGateway()
  class Gateway {
    @WebSocketServer() private readonly server!: Server;

    constructor(private readonly own: PerMessage) {}

    @WsRoute('scope', 'server')
    hasServer() {
      return typeof this.server.close;
    }

    handleConnection(client: WsClient) {
      diary.write(`connected ${this.own.client === client}`);
    }

    handleDisconnect(client: WsClient) {
      diary.write(`disconnected ${this.own.client === client}`);
    }

    @WsRoute('scope', 'number')
    number() {
      return [this.own.number, this.own.client.clientId];
    }
  }

  it('is a new instance per message, and REQUEST is the client; hooks run on an instance of their own', async () => {
    const { client } = await start({ platform, providers: [Gateway, PerMessage] });
    const [one, two] = [await client(), await client()];
    const answers = [];
    for (const tester of [one, one, two]) {
      const [number, clientId] = (await tester.request('scope', 'number')) as [number, string];
      expect(clientId).toBe(tester.clientId);
      answers.push(number);
    }
    expect(new Set(answers).size).toBe(3);
    expect(await one.request('scope', 'server')).toBe('function');
    await diary.until('connected true');
    await one.close();
    await diary.until('disconnected true');
  });
});

it('REQUEST is the upgrade request for authenticators and connection guards, and the client for rules of rooms', async () => {
  const seen: Record<string, unknown> = {};
  @Injectable({ scope: Scope.REQUEST })
  class Origin {
    constructor(@Inject(REQUEST) readonly request: object) {}
  }
  @Injectable()
  class Passport {
    constructor(private readonly origin: Origin) {}

    authenticate({ request }: WsCredentials) {
      seen.authenticator = this.origin.request === request;
      return { userId: 7 };
    }
  }
  @Injectable()
  class Doorman implements CanActivate {
    constructor(private readonly origin: Origin) {}

    canActivate(context: ExecutionContext): boolean {
      const { request } = context.switchToWs().getClient<ConnectionCandidate>();
      seen.guard = this.origin.request === request;
      return true;
    }
  }
  @Injectable()
  class Members {
    constructor(private readonly origin: Origin) {}

    authorize({ client }: WsRoomRequest): boolean {
      seen.rule = this.origin.request === client;
      return true;
    }
  }
  const { client } = await start({
    options: { auth: { authenticate: Passport }, connectionGuards: [Doorman], rooms: { authorize: Members } },
    providers: [Origin, Passport, Doorman, Members],
  });
  await (await client()).request('system', 'joinRoom', { roomName: 'tea' });
  expect(seen).toEqual({ authenticator: true, guard: true, rule: true });
});

describe('a constructor that throws', () => {
  @Injectable({ scope: Scope.REQUEST })
  class Broken {
    constructor() {
      throw new Error('secret');
    }
  }

  @WebSocketGateway()
  class Gateway {
    constructor(readonly broken: Broken) {}

    @WsRoute('scope', 'broken')
    method() {}
  }

  it('answers INTERNAL, and is logged', async () => {
    const logger = new Logbook();
    const { client } = await start({ providers: [Gateway, Broken], logger });
    await expect((await client()).request('scope', 'broken')).rejects.toThrow('INTERNAL: Internal error.');
    expect(logger.of('error')).toContain('Gateway.method failed. secret');
  });
});

describe('a request-scoped enhancer', () => {
  @Injectable({ scope: Scope.REQUEST })
  class Refuse implements CanActivate {
    constructor(private readonly own: PerMessage) {}

    canActivate(context: ExecutionContext) {
      return context.switchToWs().getClient<WsClient>() === this.own.client && context.switchToWs().getData() !== 'no';
    }
  }

  @Injectable({ scope: Scope.REQUEST })
  class Wrap implements NestInterceptor {
    constructor(private readonly own: PerMessage) {}

    intercept(_context: ExecutionContext, next: CallHandler) {
      return next.handle().pipe(map((value: unknown) => [value, this.own.client.clientId]));
    }
  }

  @Injectable({ scope: Scope.REQUEST })
  class Double implements PipeTransform {
    constructor(readonly own: PerMessage) {}

    transform(value: unknown) {
      return typeof value === 'number' ? value * 2 : value;
    }
  }

  @Catch()
  @Injectable({ scope: Scope.REQUEST })
  class Tell implements ExceptionFilter {
    constructor(private readonly own: PerMessage) {}

    catch(_exception: Error, host: ArgumentsHost) {
      return `filtered ${host.switchToWs().getClient<WsClient>() === this.own.client}`;
    }
  }

  const ran: unknown[] = [];

  @WebSocketGateway()
  class Static {
    @WsRoute('static', 'echo')
    echo(@MessageBody() data: unknown) {
      ran.push(data);
      return data;
    }

    @WsRoute('static', 'fail')
    fail() {
      throw new Error('secret');
    }
  }

  @Injectable()
  class Plain {
    @WsRoute('plain', 'echo')
    echo(@MessageBody() data: unknown) {
      ran.push(data);
      return data;
    }
  }

  @Injectable()
  class Bound {
    @WsRoute('bound', 'echo')
    @UseGuards(Refuse)
    @UseInterceptors(Wrap)
    echo(@MessageBody(Double) data: unknown) {
      return data;
    }
  }

  function app(...enhancers: [token: string, useClass: Type][]): TestAppOptions {
    return {
      providers: [Static, Plain, Bound, PerMessage, ...enhancers.map(([provide, useClass]) => ({ provide, useClass }))],
    };
  }

  it('of the application guards static gateways and plain providers: their handlers do not run', async () => {
    const { client } = await start(app([APP_GUARD, Refuse]));
    const tester = await client();
    for (const type of ['static', 'plain']) {
      expect(await tester.request(type, 'echo', 'yes')).toBe('yes');
      ran.length = 0;
      await expect(tester.request(type, 'echo', 'no')).rejects.toThrow('FORBIDDEN');
      expect(ran).toEqual([]);
    }
  });

  it('of the application is left out with routing.globalGuards: false', async () => {
    const { client } = await start({ ...app([APP_GUARD, Refuse]), options: { routing: { globalGuards: false } } });
    const tester = await client();
    expect(await tester.request('plain', 'echo', 'no')).toBe('no');
    await expect(tester.request('bound', 'echo', 'no')).rejects.toThrow('FORBIDDEN');
  });

  it('may be an interceptor, a pipe and a filter', async () => {
    const { client } = await start(app([APP_INTERCEPTOR, Wrap], [APP_PIPE, Double], [APP_FILTER, Tell]));
    const tester = await client();
    expect(await tester.request('static', 'echo', 4)).toEqual([8, tester.clientId]);
    expect(await tester.request('plain', 'echo', 4)).toEqual([8, tester.clientId]);
    expect(await tester.request('static', 'fail')).toBe('filtered true');
  });

  it('may belong to one method', async () => {
    const { client } = await start(app());
    const tester = await client();
    expect(await tester.request('bound', 'echo', 4)).toEqual([8, tester.clientId]);
    await expect(tester.request('bound', 'echo', 'no')).rejects.toThrow('FORBIDDEN');
  });
});

describe('a durable provider', () => {
  class ByTenant implements ContextIdStrategy {
    readonly #tenants = new Map<string, ContextId>();

    attach(contextId: ContextId, client: WsClient) {
      const tenant = new URL(client.request.url, 'ws://x').searchParams.get('tenant') ?? '';
      const tenantId = this.#tenants.get(tenant) ?? ContextIdFactory.create();
      this.#tenants.set(tenant, tenantId);
      return {
        resolve: (info: HostComponentInfo) => (info.isTreeDurable ? tenantId : contextId),
        payload: { tenant },
      };
    }
  }

  let instances = 0;

  @Injectable({ scope: Scope.REQUEST, durable: true })
  class Tenant {
    readonly number = ++instances;
    constructor(@Inject(REQUEST) readonly payload: { tenant: string }) {}
  }

  @WebSocketGateway()
  class Gateway {
    constructor(private readonly tenant: Tenant) {}

    @WsRoute('tenant', 'number')
    number() {
      return [this.tenant.payload.tenant, this.tenant.number];
    }
  }

  it('is shared by the messages of one tenant, and by nobody else', async () => {
    ContextIdFactory.apply(new ByTenant());
    try {
      const { url } = await start({ providers: [Gateway, Tenant] });
      const [a, b] = await Promise.all(['a', 'b'].map((tenant) => TestClient.connect(`${url()}?tenant=${tenant}`)));
      const first = await a!.request('tenant', 'number');
      expect(await a!.request('tenant', 'number')).toEqual(first);
      expect(await b!.request('tenant', 'number')).not.toEqual(first);
      expect(instances).toBe(2);
      expect(first).toEqual(['a', 1]);
      await Promise.all([a!.close(), b!.close()]);
    } finally {
      ContextIdFactory.apply(undefined as unknown as ContextIdStrategy);
    }
  });
});

it('an Observable of a request-scoped guard counts as its value', async () => {
  @Injectable({ scope: Scope.REQUEST })
  class Later implements CanActivate {
    canActivate() {
      return of(false);
    }
  }
  class Gateway {
    @WsRoute('a', 'b')
    @UseGuards(Later)
    method() {}
  }
  const { client } = await start({ providers: [Gateway] });
  await expect((await client()).request('a', 'b')).rejects.toThrow('FORBIDDEN');
});
