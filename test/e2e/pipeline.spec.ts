import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  createParamDecorator,
  Get,
  Injectable,
  ParseIntPipe,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type ArgumentMetadata,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type CallHandler,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { WsClientId, PxlWebSocketSetupError, WsClient, WsRoute } from 'nestjs-pxl-websocket';
import { map, of, throwError, type Observable } from 'rxjs';
import { failureOf } from '../support/failure-of.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { createApp, PLATFORMS, type TestAppOptions, startsOneApp } from '../support/test-app.js';

const start = startsOneApp();

/** Enhancers that write down when they ran. */
function tracers(trace: string[]) {
  function guard(name: string): Type<CanActivate> {
    @Injectable()
    class Tracer implements CanActivate {
      canActivate() {
        trace.push(`guard ${name}`);
        return true;
      }
    }
    return Tracer;
  }
  function interceptor(name: string): Type<NestInterceptor> {
    @Injectable()
    class Tracer implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
        trace.push(`before ${name}`);
        return next.handle().pipe(
          map((value) => {
            trace.push(`after ${name}`);
            return value as unknown;
          }),
        );
      }
    }
    return Tracer;
  }
  function pipe(name: string): Type<PipeTransform> {
    @Injectable()
    class Tracer implements PipeTransform {
      transform(value: unknown) {
        trace.push(`pipe ${name}`);
        return value;
      }
    }
    return Tracer;
  }
  return { guard, interceptor, pipe };
}

describe.each(PLATFORMS)('on %s', (platform) => {
  it('guards, interceptors and pipes run from the application inwards, with their dependencies', async () => {
    const trace: string[] = [];
    const { guard, interceptor, pipe } = tracers(trace);

    @WebSocketGateway()
    @UseGuards(guard('class'))
    @UseInterceptors(interceptor('class'))
    @UsePipes(pipe('class'))
    class Gateway {
      @WsRoute('a', 'b')
      @UseGuards(guard('method'))
      @UseInterceptors(interceptor('method'))
      @UsePipes(pipe('method'))
      method(@MessageBody(pipe('param')) data: unknown) {
        trace.push('method');
        return data;
      }
    }

    const { client } = await start({
      platform,
      providers: [
        Gateway,
        { provide: APP_GUARD, useClass: guard('provided') },
        { provide: APP_INTERCEPTOR, useClass: interceptor('provided') },
        { provide: APP_PIPE, useClass: pipe('provided') },
      ],
      configure: (app) => {
        app.useGlobalGuards(new (guard('app'))());
        app.useGlobalInterceptors(new (interceptor('app'))());
        app.useGlobalPipes(new (pipe('app'))());
      },
    });
    expect(await (await client()).request('a', 'b', 5)).toBe(5);
    expect(trace).toEqual([
      ...['guard provided', 'guard app', 'guard class', 'guard method'],
      ...['before provided', 'before app', 'before class', 'before method'],
      ...['pipe provided', 'pipe app', 'pipe class', 'pipe method', 'pipe param'],
      'method',
      ...['after method', 'after class', 'after app', 'after provided'],
    ]);
  });
});

describe('an enhancer', () => {
  it('is made by Nest for plain providers and controllers too', async () => {
    const trace: string[] = [];
    const { guard, interceptor } = tracers(trace);

    @Injectable()
    @UseGuards(guard('provider'))
    class Plain {
      @WsRoute('a', 'provider')
      method() {
        return 1;
      }
    }

    @Controller()
    class Web {
      @WsRoute('a', 'controller')
      @UseInterceptors(interceptor('controller'))
      method() {
        return 2;
      }
    }

    const { client } = await start({ providers: [Plain, { provide: 'other', useClass: Plain }], controllers: [Web] });
    const tester = await client();
    expect(await tester.request('a', 'provider')).toBe(1);
    expect(await tester.request('a', 'controller')).toBe(2);
    expect(trace).toEqual(['guard provider', 'before controller', 'after controller']);
  });

  it('sees the client, the data and the route', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Look implements CanActivate {
      canActivate(context: ExecutionContext) {
        const ws = context.switchToWs();
        const [client, data, pattern] = context.getArgs<[WsClient, unknown, string]>();
        seen.push(context.getType(), context.getClass(), context.getHandler().name);
        seen.push(ws.getClient<WsClient>() === client && client instanceof WsClient, ws.getData(), data);
        seen.push(ws.getPattern(), pattern);
        return true;
      }
    }
    class Gateway {
      @WsRoute('chat', 'send')
      @UseGuards(Look)
      send() {}
    }
    const { client } = await start({ providers: [Gateway] });
    await (await client()).request('chat', 'send', { text: 'x' });
    const data = { text: 'x' };
    expect(seen).toEqual(['ws', Gateway, 'send', true, data, data, 'chat:send', 'chat:send']);
  });

  it('given as a class to what a factory provides is refused at start-up: Nest would leave a guard out', async () => {
    const { guard } = tracers([]);
    const AdminGuard = guard('admin');
    class Made {
      @WsRoute('a', 'b')
      @UseGuards(AdminGuard)
      method() {}
    }
    const provider = { provide: 'made', useFactory: () => new Made() };
    expect(await failureOf({ providers: [provider] })).toContain('Made.method names the class Tracer');
    const app = await createApp({ providers: [provider] });
    await expect(app.init()).rejects.toBeInstanceOf(PxlWebSocketSetupError);
    await app.close();
  });
});

describe('a guard', () => {
  class Refusing {
    @WsRoute('g', 'sync')
    @UseGuards({ canActivate: () => false })
    sync() {
      throw new Error('was called');
    }

    @WsRoute('g', 'async')
    @UseGuards({ canActivate: async () => false })
    async() {
      throw new Error('was called');
    }

    @WsRoute('g', 'observable')
    @UseGuards({ canActivate: () => of(false) })
    observable() {
      throw new Error('was called');
    }

    @WsRoute('g', 'open')
    @UseGuards({ canActivate: () => of(true) })
    open() {
      return 'open';
    }
  }

  it.each(['sync', 'async', 'observable'])(
    'that says no (%s) answers FORBIDDEN, and the handler does not run',
    async (action) => {
      const { client } = await start({ providers: [Refusing] });
      const tester = await client();
      await expect(tester.request('g', action)).rejects.toThrow('FORBIDDEN: Forbidden resource.');
      expect(await tester.request('g', 'open')).toBe('open');
    },
  );

  describe('written for HTTP only', () => {
    @Injectable()
    class HttpOnly implements CanActivate {
      canActivate(context: ExecutionContext) {
        return context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-key'] === 'k';
      }
    }
    class Gateway {
      @WsRoute('a', 'open')
      open() {
        return 'open';
      }

      @WsRoute('a', 'closed')
      @UseGuards({ canActivate: () => false })
      closed() {}
    }
    @Controller()
    class Web {
      @Get('/guarded')
      get() {
        return 'never';
      }
    }
    const everywhere: TestAppOptions = {
      providers: [Gateway, { provide: APP_GUARD, useClass: HttpOnly }],
      controllers: [Web],
      configure: (app) => void app.useGlobalGuards(new HttpOnly()),
    };

    it("meets messages, and reads the headers of their client's upgrade", async () => {
      const { client } = await start(everywhere);
      await expect((await client()).request('a', 'open')).rejects.toThrow('FORBIDDEN');
      expect(await (await client({ headers: { 'x-key': 'k' } })).request('a', 'open')).toBe('open');
    });

    it('cannot change who the client is', async () => {
      class Whoami {
        @WsRoute('w', 'ho')
        @UseGuards({
          canActivate: (context: ExecutionContext) => {
            context.switchToHttp().getRequest<{ user: unknown }>().user = { sub: 'eve' };
            return true;
          },
        })
        ho() {}

        @WsRoute('w', 'hoami')
        hoami(client: WsClient) {
          return client.user;
        }
      }
      const authenticate = () => ({ userId: 'ada' });
      const { client } = await start({ providers: [Whoami], options: { auth: { authenticate } } });
      const tester = await client();
      await expect(tester.request('w', 'ho')).rejects.toThrow('INTERNAL');
      expect(await tester.request('w', 'hoami')).toEqual({ userId: 'ada', payload: {} });
    });

    it('counts per address and sets headers, whatever the data is; the handler gets the data as it came', async () => {
      interface Reply {
        header(name: string, value: unknown): Reply;
        set(name: string, value: unknown): Reply;
        setHeader(name: string, value: unknown): Reply;
        left?: string;
      }
      const counts = new Map<string, number>();
      const left: unknown[] = [];
      @Injectable()
      class Throttler implements CanActivate {
        canActivate(context: ExecutionContext) {
          const http = context.switchToHttp();
          const { ip, headers } = http.getRequest<{ ip: string; headers: Record<string, string> }>();
          const response = http.getResponse<Reply>();
          left.push(response.left, http.getResponse<Reply>() === response, headers['user-agent']);
          response.header('X-RateLimit-Limit', 9).setHeader('X-RateLimit-Remaining', 1).left = 'behind';
          left.push(context.switchToWs().getData());
          counts.set(ip, (counts.get(ip) ?? 0) + 1);
          return true;
        }
      }
      class Timed implements NestInterceptor {
        intercept(context: ExecutionContext, next: CallHandler) {
          context.switchToHttp().getResponse<Reply>().set('X-Cache', 'HIT').setHeader('X-Response-Time', 1);
          return next.handle();
        }
      }
      class Echo {
        @WsRoute('e', 'cho')
        @UseInterceptors(Timed)
        cho(@MessageBody() data: unknown, @ConnectedSocket() client: WsClient) {
          return [typeof data, data, client.ip, client.headers === client.request.headers];
        }
      }
      const providers = [Echo, { provide: APP_GUARD, useClass: Throttler }];
      const { client } = await start({ providers, options: { trustProxy: true } });
      for (const ip of ['198.51.100.1', '203.0.113.9']) {
        const tester = await client({ headers: { 'x-forwarded-for': ip, 'user-agent': 'me' } });
        expect(await tester.request('e', 'cho')).toEqual(['undefined', null, ip, true]);
        for (const data of [null, 'text', {}, { header: 1 }]) {
          expect(await tester.request('e', 'cho', data)).toEqual([typeof data, data, ip, true]);
          expect(left.splice(-4)).toEqual([undefined, true, 'me', data]);
        }
        expect(left.splice(0)).toEqual([undefined, true, 'me', undefined]);
      }
      expect([...counts]).toEqual([
        ['198.51.100.1', 5],
        ['203.0.113.9', 5],
      ]);
    });

    it('is left out with routing.globalGuards: false; the gateway keeps its own, and HTTP routes keep it', async () => {
      const { client, origin } = await start({ ...everywhere, options: { routing: { globalGuards: false } } });
      const tester = await client();
      expect(await tester.request('a', 'open')).toBe('open');
      await expect(tester.request('a', 'closed')).rejects.toThrow('FORBIDDEN');
      expect((await fetch(`${origin}/guarded`)).status).toBe(403);
    });
  });
});

describe('an interceptor', () => {
  const wrap: NestInterceptor = {
    intercept: (_context, next) => next.handle().pipe(map((value: unknown) => ({ value: value ?? null }))),
  };

  class Intercepted {
    @WsRoute('i', 'map')
    @UseInterceptors(wrap)
    async map(@MessageBody() data: unknown) {
      return data;
    }

    @WsRoute('i', 'instead')
    @UseInterceptors({ intercept: () => of('cached') })
    instead() {
      throw new Error('was called');
    }

    @WsRoute('i', 'fails')
    @UseInterceptors({ intercept: () => throwError(() => new Error('secret')) })
    fails() {}

    @WsRoute('i', 'nothing')
    @UseInterceptors({ intercept: (_context: ExecutionContext, next: CallHandler) => next.handle() })
    nothing() {}
  }

  it('changes the answer, gives its own, or fails', async () => {
    const { client } = await start({ providers: [Intercepted] });
    const tester = await client();
    expect(await tester.request('i', 'map', 1)).toEqual({ value: 1 });
    expect(await tester.request('i', 'instead')).toBe('cached');
    await expect(tester.request('i', 'fails')).rejects.toThrow('INTERNAL: Internal error.');
    tester.send({ type: 'i', action: 'nothing' });
    await tester.expectNothing(50);
    expect(await tester.request('i', 'nothing')).toBeNull();
  });
});

describe('a pipe', () => {
  it('changes data and custom parameters, and never sees the client', async () => {
    const seen: ArgumentMetadata[] = [];
    const look: PipeTransform = {
      transform(value: unknown, metadata: ArgumentMetadata) {
        seen.push(metadata);
        return value instanceof WsClient ? 'the client was piped' : value;
      },
    };
    class Gateway {
      @WsRoute('p', 'all')
      all(@ConnectedSocket() client: WsClient, @MessageBody('n', ParseIntPipe) n: number, @WsClientId() id: string) {
        return [client instanceof WsClient, n, id];
      }

      @WsRoute('p', 'plain')
      plain(client: WsClient, data: unknown) {
        return [client instanceof WsClient, data];
      }
    }
    const { client } = await start({ providers: [Gateway], configure: (app) => void app.useGlobalPipes(look) });
    const tester = await client();
    expect(await tester.request('p', 'all', { n: '12' })).toEqual([true, 12, tester.clientId]);
    expect(seen.sort((a, b) => a.type.localeCompare(b.type))).toMatchObject([
      { type: 'body', metatype: Number, data: 'n' },
      { type: 'custom', metatype: String },
    ]);
    expect(await tester.request('p', 'plain', 1)).toEqual([true, 1]);
    await expect(tester.request('p', 'all', { n: 'x' })).rejects.toThrow('VALIDATION_FAILED');
  });
});

describe('a custom parameter decorator', () => {
  const Path = createParamDecorator((_data: undefined, context) => context.switchToWs().getClient<WsClient>().path);
  const Later = createParamDecorator(async (data: string) => Promise.resolve(`${data} later`));
  const Broken = createParamDecorator(() => {
    throw new Error('broken');
  });
  const Rejected = createParamDecorator(async () => Promise.reject(new Error('rejected')));

  class Gateway {
    @WsRoute('c', 'both')
    both(@Path() path: string, @Later('much') later: string, @MessageBody() data: unknown) {
      return [path, later, data];
    }

    @WsRoute('c', 'broken')
    broken(@Broken() broken: unknown, @Rejected() rejected: unknown) {
      return [rejected, broken];
    }
  }

  it('gives its value at once or promised', async () => {
    const { client } = await start({ providers: [Gateway] });
    expect(await (await client()).request('c', 'both', 1)).toEqual(['/ws', 'much later', 1]);
  });

  it('that throws beside one that rejects is one error; the rejection is not left unhandled, which would end the process', async () => {
    const { client } = await start({ providers: [Gateway] });
    const tester = await client();
    await expect(tester.request('c', 'broken')).rejects.toThrow('INTERNAL');
    expect(await tester.request('c', 'both', 1)).toEqual(['/ws', 'much later', 1]);
  });
});

describe("one client's messages", () => {
  class Slow {
    readonly trace: string[] = [];
    readonly gates = [new Gate(), new Gate(), new Gate()];

    @WsRoute('slow', 'step')
    async step(@MessageBody() at: number) {
      this.trace.push(`begin ${at}`);
      await this.gates[at]?.passed;
      this.trace.push(`end ${at}`);
      return at;
    }

    @WsRoute('slow', 'sync')
    sync() {
      this.trace.push('sync');
      return 'sync';
    }
  }

  it('are handled in order, each after the one before, however long they take; other clients do not wait', async () => {
    const { app, client } = await start({ providers: [Slow] });
    const slow = app.get(Slow);
    const [tester, other] = [await client(), await client()];
    for (const data of [0, 1, 2]) tester.send({ type: 'slow', action: 'step', data });
    tester.send({ type: 'slow', action: 'sync' });
    slow.gates[2]?.open();
    slow.gates[1]?.open();
    expect(await other.request('slow', 'sync')).toBe('sync');
    expect(slow.trace).toEqual(['begin 0', 'sync']);
    slow.gates[0]?.open();
    const answers = [await tester.next(), await tester.next(), await tester.next(), await tester.next()];
    expect(answers.map(({ response }) => response)).toEqual([0, 1, 2, 'sync']);
    expect(slow.trace.slice(2)).toEqual(['end 0', 'begin 1', 'end 1', 'begin 2', 'end 2', 'sync']);
  });
});

describe('timeouts.handler', () => {
  const options = { timeouts: { handler: 50 } };

  class Late {
    readonly gate = new Gate<never>();

    @WsRoute('late', 'plain')
    plain() {
      return this.gate.passed.then(() => Promise.reject(new Error('too late')));
    }

    @WsRoute('late', 'intercepted')
    @UseInterceptors({ intercept: (_context: ExecutionContext, next: CallHandler) => next.handle() })
    intercepted() {
      return this.gate.passed.then(() => Promise.reject(new Error('too late')));
    }

    @WsRoute('late', 'not')
    @UseInterceptors({ intercept: (_context: ExecutionContext, next: CallHandler) => next.handle() })
    async not() {
      return 'in time';
    }
  }

  it.each(['plain', 'intercepted'])('answers TIMEOUT (%s); what is thrown later goes to the log', async (action) => {
    const logger = new Logbook();
    const { app, client } = await start({ options, providers: [Late], logger });
    const tester = await client();
    const refusal = await tester.call('late', action);
    expect(refusal.data).toMatchObject({ code: 'TIMEOUT', retryable: true });
    expect(logger.of('error')).toEqual([]);
    app.get(Late).gate.open(undefined as never);
    expect(await tester.request('late', 'not')).toBe('in time');
    expect(logger.of('error')).toEqual([`Late.${action} failed. too late`]);
    await tester.expectNothing(20);
  });
});
