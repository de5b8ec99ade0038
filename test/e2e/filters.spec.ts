import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  BadRequestException,
  Catch,
  ConflictException,
  ForbiddenException,
  GatewayTimeoutException,
  GoneException,
  HttpException,
  Injectable,
  InternalServerErrorException,
  NotFoundException,
  NotImplementedException,
  ServiceUnavailableException,
  UnauthorizedException,
  UnprocessableEntityException,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { APP_FILTER, BaseExceptionFilter } from '@nestjs/core';
import { Ack, BaseWsExceptionFilter, ConnectedSocket, MessageBody, WsException } from '@nestjs/websockets';
import { PxlWebSocketServer, WebSocketService, WsClient, WsError, WsRoute } from 'nestjs-pxl-websocket';
import { concat, EMPTY, of, throwError } from 'rxjs';
import { Gate } from '../support/gate.js';
import { HOSTILE_VALUES } from '../support/hostile-values.js';
import { Logbook } from '../support/logbook.js';
import { secondCopy } from '../support/second-copy.js';
import type { Received } from '../support/test-client.js';
import { NEST_MAJOR } from '../support/nest-version.js';
import { startsOneApp, type TestApp, type TestAppOptions } from '../support/test-app.js';

const start = startsOneApp();

/** A logbook that keeps the stacks too. */
class StackBook extends Logbook {
  readonly stacks: unknown[] = [];

  override error(message: unknown, stack?: unknown): void {
    super.error(message);
    this.stacks.push(stack);
  }
}

const INTERNAL = { error: 'Internal error.', code: 'INTERNAL', retryable: false };

describe('what a handler throws', () => {
  const trap = {
    get code(): string {
      throw new Error('secret');
    },
  };
  const field = { property: 'text', constraints: { isString: 'text must be a string' } };
  // As class-validator makes them: with what was not valid.
  const invalid = { ...field, target: { text: 'secret' }, value: 'secret', children: [{ ...field, value: 'secret' }] };
  const thrown: Record<string, () => unknown> = {
    error: () => new Error('secret'),
    text: () => 'secret',
    null: () => null,
    symbol: () => Symbol('secret'),
    strange: () => Object.create(null) as unknown,
    ws: () => new WsException('Not like this.'),
    wsObject: () => new WsException({ code: 'GAME_OVER', message: 'It is over.', details: { score: 3 } }),
    wsOwn: () => new WsException({ code: 'QUOTA', message: 'Too many.', limit: 5, used: 6, status: 'error' }),
    wsBoth: () => new WsException({ code: '', error: 'It is over.', details: { score: 3 }, at: 9, retryable: true }),
    wsList: () => new WsException([invalid]),
    wsPlainObject: () => new WsException({ status: 'lost' }),
    wsCause: () => new WsException(Object.assign(new Error('Down.'), { code: 'ECONNREFUSED', address: 'secret' })),
    wsNothing: () => Reflect.construct(WsException, [undefined]) as unknown,
    wsNull: () => Reflect.construct(WsException, [null]) as unknown,
    wsTrap: () => new WsException(trap),
    wsError: () =>
      new WsError('BUSY', 'Later.', { retryable: true, details: { after: 5 }, cause: new Error('secret') }),
    wsCode: () => Reflect.construct(WsError, [1n, 'One.']) as unknown,
    wsKnown: () => new WsError('UNAVAILABLE', 'Not now.'),
    wsCycle: () => {
      const details: Record<string, unknown> = {};
      details.self = details;
      return new WsError('CYCLE', 'Round and round.', { details });
    },
    400: () => new BadRequestException('Bad.'),
    '400nothing': () => Reflect.construct(HttpException, [null, 400]) as unknown,
    noStatus: () => Reflect.construct(HttpException, ['secret']) as unknown,
    '400list': () => new BadRequestException(['a must be a text', 'b must be a number']),
    '400factory': () => new BadRequestException([invalid]),
    '400grouped': () => new BadRequestException({ message: { text: ['must be a string'] }, error: 'Bad Request' }),
    '400zod': () =>
      new BadRequestException({ statusCode: 400, message: 'Validation failed', errors: [{ path: ['a'] }] }),
    '400own': () => new BadRequestException({ code: 'QUOTA', message: 'Too many.', limit: 5, constructor: 1 }),
    '400code': () => new BadRequestException('Too many.', { errorCode: 'QUOTA' }),
    '400error': () => new BadRequestException(Object.assign(new Error('secret'), { address: 'secret' })),
    '429own': () => new HttpException({ code: 'QUOTA', message: 'Slower.', retryAfter: 50 }, 429),
    '500own': () => new InternalServerErrorException({ code: 'SECRET', message: 'secret too', host: 'secret' }),
    '503own': () => new ServiceUnavailableException({ code: 'SECRET', message: 'Later.', host: 'secret' }),
    422: () => new UnprocessableEntityException('Bad.'),
    401: () => new UnauthorizedException('Who?'),
    403: () => new ForbiddenException('No.'),
    404: () => new NotFoundException('Nowhere.'),
    409: () => new ConflictException('Twice.'),
    410: () => new GoneException('Was.'),
    429: () => new HttpException('Slower.', 429),
    500: () => new InternalServerErrorException('secret'),
    501: () => new NotImplementedException('secret'),
    503: () => new ServiceUnavailableException('Later.'),
    504: () => new GatewayTimeoutException('Late.'),
  };

  class Throwing {
    @WsRoute('t', 'sync')
    sync(@MessageBody() name: string) {
      throw thrown[name]?.();
    }

    @WsRoute('t', 'async')
    async async(@MessageBody() name: string) {
      throw thrown[name]?.();
    }
  }

  const table: [name: string, payload: object, isLogged: boolean][] = [
    ['error', INTERNAL, true],
    ['text', INTERNAL, true],
    ['null', INTERNAL, true],
    ['symbol', INTERNAL, true],
    ['strange', INTERNAL, true],
    ['ws', { error: 'Not like this.', code: 'APPLICATION', retryable: false }, false],
    ['wsObject', { error: 'It is over.', code: 'GAME_OVER', retryable: false, details: { score: 3 } }, false],
    ['wsOwn', { error: 'Too many.', code: 'QUOTA', retryable: false, details: { limit: 5, used: 6 } }, false],
    [
      'wsBoth',
      { error: 'It is over.', code: 'APPLICATION', retryable: true, details: { code: '', score: 3, at: 9 } },
      false,
    ],
    [
      'wsList',
      {
        error: 'The data is not valid.',
        code: 'VALIDATION_FAILED',
        retryable: false,
        details: [{ ...field, children: [field] }],
      },
      false,
    ],
    ['wsCause', { error: 'Down.', code: 'ECONNREFUSED', retryable: false }, false],
    ['wsPlainObject', { error: 'Ws Exception', code: 'APPLICATION', retryable: false }, false],
    ['wsNothing', { error: 'Ws Exception', code: 'APPLICATION', retryable: false }, false],
    ['wsNull', { error: 'Ws Exception', code: 'APPLICATION', retryable: false }, false],
    ['wsTrap', INTERNAL, true],
    ['wsError', { error: 'Later.', code: 'BUSY', retryable: true, details: { after: 5 } }, false],
    ['wsCode', INTERNAL, true],
    ['wsKnown', { error: 'Not now.', code: 'UNAVAILABLE', retryable: true }, false],
    ['wsCycle', { error: 'Round and round.', code: 'CYCLE', retryable: false }, true],
    ['400', { error: 'Bad.', code: 'VALIDATION_FAILED', retryable: false }, false],
    ['400nothing', { error: 'Http Exception', code: 'VALIDATION_FAILED', retryable: false }, false],
    ['noStatus', INTERNAL, true],
    [
      '400list',
      {
        error: 'The data is not valid.',
        code: 'VALIDATION_FAILED',
        retryable: false,
        details: ['a must be a text', 'b must be a number'],
      },
      false,
    ],
    [
      '400factory',
      {
        error: 'The data is not valid.',
        code: 'VALIDATION_FAILED',
        retryable: false,
        details: [{ ...field, children: [field] }],
      },
      false,
    ],
    [
      '400grouped',
      {
        error: 'The data is not valid.',
        code: 'VALIDATION_FAILED',
        retryable: false,
        details: { text: ['must be a string'] },
      },
      false,
    ],
    [
      '400zod',
      {
        error: 'Validation failed',
        code: 'VALIDATION_FAILED',
        retryable: false,
        details: { errors: [{ path: ['a'] }] },
      },
      false,
    ],
    ['400own', { error: 'Too many.', code: 'QUOTA', retryable: false, details: { limit: 5, constructor: 1 } }, false],
    // Exceptions of Nest 11 have no `errorCode`.
    ['400code', { error: 'Too many.', code: NEST_MAJOR < 12 ? 'VALIDATION_FAILED' : 'QUOTA', retryable: false }, false],
    ['400error', { error: 'Bad Request', code: 'VALIDATION_FAILED', retryable: false }, false],
    ['429own', { error: 'Slower.', code: 'QUOTA', retryable: true, details: { retryAfter: 50 } }, false],
    ['500own', INTERNAL, true],
    ['503own', { error: 'Later.', code: 'UNAVAILABLE', retryable: true }, false],
    ['422', { error: 'Bad.', code: 'VALIDATION_FAILED', retryable: false }, false],
    ['401', { error: 'Who?', code: 'UNAUTHENTICATED', retryable: false }, false],
    ['403', { error: 'No.', code: 'FORBIDDEN', retryable: false }, false],
    ['404', { error: 'Nowhere.', code: 'NOT_FOUND', retryable: false }, false],
    ['409', { error: 'Twice.', code: 'CONFLICT', retryable: false }, false],
    ['410', { error: 'Was.', code: 'APPLICATION', retryable: false }, false],
    ['429', { error: 'Slower.', code: 'RATE_LIMITED', retryable: true }, false],
    ['500', INTERNAL, true],
    ['501', INTERNAL, true],
    ['503', { error: 'Later.', code: 'UNAVAILABLE', retryable: true }, false],
    ['504', { error: 'Late.', code: 'TIMEOUT', retryable: true }, false],
  ];

  it.each(['sync', 'async'])('is what its client reads, by the table of the protocol (%s)', async (action) => {
    const logger = new StackBook();
    const { client } = await start({ providers: [Throwing], logger });
    const tester = await client();
    for (const [name, payload, isLogged] of table) {
      const before = logger.of('error').length;
      const id = `id of ${name}`;
      tester.send({ type: 't', action, data: name, id });
      expect(await tester.next()).toEqual({
        type: 'error',
        action: 'message',
        id,
        data: { ...payload, type: 't', action },
      });
      expect([name, logger.of('error').length - before]).toEqual([name, isLogged ? 1 : 0]);
    }
    expect(logger.of('error')[0]).toBe(`Throwing.${action} failed. secret`);
    expect(logger.stacks[0]).toContain('filters.spec.ts');
  });

  it('has its details in the other envelope too', async () => {
    const { client } = await start({ providers: [Throwing] });
    const tester = await client({ protocols: ['event.v1'] });
    tester.send({ event: 't:sync', data: 'wsOwn', id: 1 });
    const details = { limit: 5, used: 6 };
    const data = { message: 'Too many.', code: 'QUOTA', retryable: false, event: 't:sync', details };
    expect(await tester.next()).toEqual({ event: 'error', id: 1, data });
  });

  it('may be the WsError of a second copy of the package, for filters too', async () => {
    const copy = await secondCopy<{ WsError: typeof WsError }>('errors/ws.error');
    expect(copy.WsError).not.toBe(WsError);
    @Catch(WsError)
    class OfTheFirst implements ExceptionFilter {
      catch(exception: WsError) {
        return exception.details;
      }
    }
    class Gateway {
      @WsRoute('s', 'copy')
      copy() {
        throw new copy.WsError('MINE', 'No.', { details: 5 });
      }

      @WsRoute('s', 'filtered')
      @UseFilters(OfTheFirst)
      filtered() {
        throw new copy.WsError('MINE', 'No.', { details: 5 });
      }
    }
    const logger = new Logbook();
    const { client } = await start({ providers: [Gateway], logger });
    const tester = await client();
    const data = { error: 'No.', code: 'MINE', retryable: false, details: 5, type: 's', action: 'copy' };
    expect(await tester.call('s', 'copy')).toMatchObject({ data });
    expect(await tester.request('s', 'filtered')).toBe(5);
    expect(logger.of('error')).toEqual([]);
  });

  it('comes without an id where the request had none', async () => {
    const { client } = await start({ providers: [Throwing] });
    const tester = await client();
    tester.send({ type: 't', action: 'sync', data: 'error' });
    const frame = await tester.next();
    expect(frame).toEqual({ type: 'error', action: 'message', data: { ...INTERNAL, type: 't', action: 'sync' } });
  });

  it('goes to events.onError where it is a defect', async () => {
    const failed: { error: Error; clientId?: string }[] = [];
    const options = { events: { onError: (failure: { error: Error; clientId?: string }) => failed.push(failure) } };
    const { client } = await start({ providers: [Throwing], options });
    const tester = await client();
    await tester.call('t', 'sync', '404');
    await tester.call('t', 'sync', 'error');
    expect(failed).toMatchObject([{ error: { message: 'secret' }, clientId: tester.clientId }]);
  });
});

describe('a filter', () => {
  class Mine extends Error {}
  class Other extends Error {}

  function answering(name: string): ExceptionFilter {
    @Catch(Mine)
    class Answering implements ExceptionFilter {
      catch(exception: Mine) {
        return { name, message: exception.message };
      }
    }
    return new Answering();
  }

  class Gateway {
    @WsRoute('f', 'value')
    @UseFilters(answering('method'))
    async value() {
      throw new Mine('m');
    }

    @WsRoute('f', 'observable')
    @UseFilters({ catch: () => of('first', 'last') })
    observable() {
      throw new Mine('m');
    }

    @WsRoute('f', 'other')
    @UseFilters(answering('method'))
    other() {
      throw new Other('secret');
    }

    @WsRoute('f', 'throws')
    @UseFilters({
      catch: () => {
        throw new WsError('FILTERED', 'By the filter.');
      },
    })
    throws() {
      throw new WsError('MINE', 'No.');
    }

    @WsRoute('f', 'breaks')
    @UseFilters({ catch: async () => Promise.reject(new Error('broken')) })
    breaks() {
      throw new Mine('m');
    }

    @WsRoute('f', 'errors')
    @UseFilters({ catch: () => throwError(() => new WsError('FILTERED', 'By the filter.')) })
    errors() {
      throw new WsError('MINE', 'No.');
    }

    @WsRoute('f', 'rethrows')
    @UseFilters({
      catch: async (exception: unknown) => {
        await setImmediate();
        throw exception;
      },
    })
    rethrows() {
      throw new WsError('MINE', 'No.');
    }

    @WsRoute('f', 'translates')
    @UseFilters({ catch: () => new WsError('NOT_FOUND', 'There is no such game.') })
    translates() {
      throw new Mine('m');
    }

    @WsRoute('f', 'returns')
    @UseFilters({ catch: async (exception: unknown) => exception })
    returns() {
      throw new Mine('m');
    }

    @WsRoute('f', 'guarded')
    @UseFilters({ catch: (exception: WsError) => exception.code })
    guarded(@MessageBody({ transform: () => Promise.reject(new WsError('PIPED', 'no')) }) data: unknown) {
      return data;
    }

    @WsRoute('f', 'fine')
    @UseFilters(answering('method'))
    fine() {
      return 'fine';
    }
  }

  it('answers with the value that it returns', async () => {
    const { client } = await start({ providers: [Gateway] });
    const tester = await client();
    tester.send({ type: 'f', action: 'value', id: 1 });
    const response = { name: 'method', message: 'm' };
    expect(await tester.next()).toEqual({ type: 'f', action: 'value', id: 1, response });
    tester.send({ type: 'f', action: 'value' });
    expect(await tester.next()).toEqual({ type: 'f', action: 'value', response });
    expect(await tester.request('f', 'observable')).toBe('last');
    expect(await tester.request('f', 'guarded')).toBe('PIPED');
    expect(await tester.request('f', 'fine')).toBe('fine');
  });

  it('lets pass what it does not catch', async () => {
    const { client } = await start({ providers: [Gateway] });
    await expect((await client()).request('f', 'other')).rejects.toThrow('INTERNAL: Internal error.');
  });

  it('that throws changes nothing: the exception is mapped, and what the filter threw is logged once', async () => {
    const logger = new Logbook();
    const { client } = await start({ providers: [Gateway], logger });
    const tester = await client();
    await expect(tester.request('f', 'throws')).rejects.toThrow('MINE: No.');
    await expect(tester.request('f', 'breaks')).rejects.toThrow('INTERNAL: Internal error.');
    await expect(tester.request('f', 'errors')).rejects.toThrow('MINE: No.');
    await expect(tester.request('f', 'rethrows')).rejects.toThrow('MINE: No.');
    expect(logger.of('error')).toEqual([
      'An exception filter of Gateway.throws failed. By the filter.',
      'An exception filter of Gateway.breaks failed. broken',
      'Gateway.breaks failed. m',
      'An exception filter of Gateway.errors failed. By the filter.',
    ]);
  });

  it('that returns an error has the client read that one', async () => {
    const logger = new Logbook();
    const { client } = await start({ providers: [Gateway], logger });
    const tester = await client();
    await expect(tester.request('f', 'translates')).rejects.toThrow('NOT_FOUND: There is no such game.');
    await expect(tester.request('f', 'returns')).rejects.toThrow('INTERNAL: Internal error.');
    expect(logger.of('error')).toEqual(['Gateway.returns failed. m']);
  });

  it('of the method comes before the class, the class before the application', async () => {
    @UseFilters(answering('class'))
    class Near {
      @WsRoute('n', 'method')
      @UseFilters(answering('method'))
      method() {
        throw new Mine('m');
      }

      @WsRoute('n', 'class')
      class() {
        throw new Mine('m');
      }
    }
    class Far {
      @WsRoute('n', 'app')
      app() {
        throw new Mine('m');
      }
    }
    const { client } = await start({
      providers: [Near, Far],
      configure: (app) => void app.useGlobalFilters(answering('app')),
    });
    const tester = await client();
    for (const name of ['method', 'class', 'app']) {
      expect(await tester.request('n', name)).toEqual({ name, message: 'm' });
    }
  });

  it('of APP_FILTER has its dependencies, and sees what guards throw', async () => {
    @Injectable()
    class Words {
      readonly text = 'injected';
    }
    @Catch()
    class Everything implements ExceptionFilter {
      constructor(private readonly words: Words) {}
      catch() {
        return this.words.text;
      }
    }
    const { client } = await start({
      providers: [Gateway, Words, { provide: APP_FILTER, useClass: Everything }],
      configure: (app) =>
        void app.useGlobalGuards({
          canActivate: () => {
            throw new Error('guard');
          },
        }),
    });
    expect(await (await client()).request('f', 'other')).toBe('injected');
  });
});

describe('a filter that returns nothing', () => {
  const MINE = { error: 'No.', code: 'MINE', retryable: false };
  const refusal = (action: string, id?: number) => ({
    type: 'error',
    action: 'message',
    ...(id !== undefined && { id }),
    data: { ...MINE, type: 'n', action },
  });

  class Gateway {
    @WsRoute('n', 'plain')
    plain() {
      throw new WsError('MINE', 'No.');
    }

    @WsRoute('n', 'guarded')
    @UseGuards({
      canActivate: () => {
        throw new WsError('MINE', 'No.');
      },
    })
    guarded() {}

    @WsRoute('n', 'piped')
    async piped(@MessageBody({ transform: () => Promise.reject(new WsError('MINE', 'No.')) }) data: unknown) {
      return data;
    }

    @WsRoute('n', 'ack')
    ack(@Ack() ack: (value: unknown) => void) {
      throw new WsError('MINE', 'No.', { cause: ack });
    }

    @WsRoute('n', 'stream')
    async *stream() {
      yield 1;
      throw new WsError('MINE', 'No.');
    }

    @WsRoute('n', 'intercepted')
    @UseInterceptors({ intercept: (_context: ExecutionContext, next: CallHandler) => next.handle() })
    intercepted() {
      return concat(
        of(1),
        throwError(() => new WsError('MINE', 'No.')),
      );
    }

    @WsRoute('n', 'defect')
    defect() {
      throw new Error('secret');
    }

    @WsRoute('n', 'says')
    says(@ConnectedSocket() client: WsClient) {
      client.send({ type: 'beside', action: 'it' });
    }
  }

  @Catch(WsError, HttpException)
  class OnlyErrors implements ExceptionFilter {
    catch() {}
  }

  /** An application whose only filter is this one. */
  async function filteredBy(catches: ExceptionFilter['catch'], more: Partial<TestAppOptions> = {}): Promise<TestApp> {
    const filter = { catch: catches };
    return start({ providers: [Gateway], configure: (app) => void app.useGlobalFilters(filter), ...more });
  }

  const silent: Record<string, ExceptionFilter['catch']> = {
    'at once': () => undefined,
    'after a while': async () => undefined,
    'as an Observable': () => EMPTY,
    'since it is for HTTP': (_exception, host) => {
      if (host.getType() === 'http') throw new Error('is no HTTP');
    },
  };

  it.each(Object.keys(silent))('has answered nobody: the exception is mapped (%s)', async (how) => {
    const { client } = await filteredBy(silent[how]!);
    const tester = await client();
    for (const action of ['plain', 'guarded', 'piped', 'ack']) {
      for (const id of [1, undefined]) {
        tester.send({ type: 'n', action, id });
        expect(await tester.next()).toEqual(refusal(action, id));
      }
    }
    for (const action of ['stream', 'intercepted']) {
      tester.send({ type: 'n', action, id: 2 });
      expect(await tester.next()).toEqual({ type: 'n', action, id: 2, response: 1 });
      expect(await tester.next()).toEqual(refusal(action, 2));
    }
  });

  it('does not keep a defect from the log', async () => {
    const logger = new Logbook();
    const { client } = await filteredBy(() => undefined, { logger });
    await expect((await client()).request('n', 'defect')).rejects.toThrow('INTERNAL');
    expect(logger.of('error')).toEqual(['Gateway.defect failed. secret']);
  });

  const sending: Record<string, (client: WsClient, app: INestApplication) => unknown> = {
    'client.send': (client) => client.send({ type: 'own', action: 'answer' }),
    'client.emit': (client) => client.emit('own:answer'),
    'client.ws.send': (client) => client.ws.send('{"type":"own","action":"answer"}'),
    'client.call': (client) => void client.call({ type: 'own', action: 'answer' }).catch(() => undefined),
    sendToClients: (client, app) =>
      app.get(WebSocketService).sendToClients([client.clientId], { type: 'own', action: 'answer' }),
    sendClientMessage: (client, app) =>
      app.get(PxlWebSocketServer).sendClientMessage(client, { type: 'own', action: 'answer' }),
  };

  it.each(Object.keys(sending))('and sends by %s has answered who waits for no id', async (how) => {
    const logger = new Logbook();
    const started: TestApp = await filteredBy(
      async (_exception, host) => {
        await setImmediate();
        await sending[how]?.(host.switchToWs().getClient(), started.app);
      },
      { logger },
    );
    const tester = await started.client();
    const own = expect.objectContaining({ type: 'own', action: 'answer' });
    for (const action of ['plain', 'guarded', 'ack', 'defect']) {
      tester.send({ type: 'n', action });
      expect(await tester.next()).toEqual(own);
    }
    tester.send({ type: 'n', action: 'plain', id: 7 });
    expect([await tester.next(), await tester.next()]).toEqual([own, refusal('plain', 7)]);
    tester.send({ type: 'n', action: 'stream', id: 8 });
    const frames = [await tester.next(), await tester.next(), await tester.next()];
    expect(frames).toEqual([{ type: 'n', action: 'stream', id: 8, response: 1 }, own, refusal('stream', 8)]);
    expect(logger.of('error')).toEqual([]);
  });

  it('and sends something, and fails then, hides nothing from the log', async () => {
    const logger = new Logbook();
    const { client } = await filteredBy(
      (_exception, host) => {
        host.switchToWs().getClient<WsClient>().emit('own:answer');
        throw new Error('broken');
      },
      { logger },
    );
    const tester = await client();
    tester.send({ type: 'n', action: 'defect' });
    expect(await tester.next()).toEqual({ type: 'own', action: 'answer' });
    expect(await tester.request('n', 'says')).toBeNull();
    expect(tester.pending).toEqual([{ type: 'beside', action: 'it' }]);
    const lines = ['An exception filter of Gateway.defect failed. broken', 'Gateway.defect failed. secret'];
    expect(logger.of('error')).toEqual(lines);
  });

  it('has not sent what others send to its client meanwhile, nor what it sends to others', async () => {
    const gate = new Gate();
    const others: WsClient[] = [];
    const { client } = await filteredBy(
      async () => {
        for (const other of others) other.send({ type: 'to', action: 'another' });
        await gate.passed;
      },
      { options: { inbound: { concurrency: 2 }, events: { onConnected: ({ client }) => others.unshift(client) } } },
    );
    const tester = await client();
    const other = await client();
    others.pop();
    tester.send({ type: 'n', action: 'plain' });
    expect(await other.next()).toEqual({ type: 'to', action: 'another' });
    tester.send({ type: 'n', action: 'says' });
    expect(await tester.next()).toEqual({ type: 'beside', action: 'it' });
    gate.open();
    expect(await tester.next()).toEqual(refusal('plain'));
  });

  it('and has failed to send has not answered', async () => {
    const { client } = await filteredBy((_exception, host) => {
      try {
        host.switchToWs().getClient<WsClient>().emit('own', 1n);
      } catch {
        // a BigInt has no JSON form
      }
    });
    await expect((await client()).request('n', 'plain')).rejects.toThrow('MINE');
  });

  it('and calls the ack function has answered with that', async () => {
    const logger = new Logbook();
    const { client } = await filteredBy((_exception, host) => host.getArgByIndex<(value: string) => void>(2)('acked'), {
      logger,
    });
    const tester = await client();
    tester.send({ type: 'n', action: 'ack' });
    expect(await tester.next()).toEqual({ type: 'n', action: 'ack', response: 'acked' });
    expect(await tester.request('n', 'ack')).toBe('acked');
  });

  it('answers what fails when it is looked at, too', async () => {
    class Hostile {
      @WsRoute('x', 'plain')
      plain(@MessageBody() name: string) {
        throw HOSTILE_VALUES[name]?.();
      }

      @WsRoute('x', 'typed')
      @UseFilters(OnlyErrors)
      typed(@MessageBody() name: string) {
        throw HOSTILE_VALUES[name]?.();
      }
    }
    const { client } = await filteredBy(() => undefined, { providers: [Hostile] });
    const tester = await client();
    for (const name of Object.keys(HOSTILE_VALUES)) {
      for (const action of ['plain', 'typed']) {
        tester.send({ type: 'x', action, data: name, id: name });
        expect(await tester.next()).toMatchObject({ type: 'error', id: name });
      }
    }
  });

  it('of a request-scoped class is no success either', async () => {
    @Catch()
    @Injectable({ scope: Scope.REQUEST })
    class LogsOnly implements ExceptionFilter {
      catch() {}
    }
    const { client } = await start({ providers: [Gateway, { provide: APP_FILTER, useClass: LogsOnly }] });
    await expect((await client()).request('n', 'plain')).rejects.toThrow('MINE');
  });

  it('is left out with routing.globalFilters: false; the gateway keeps its own', async () => {
    class Own {
      @WsRoute('n', 'own')
      @UseFilters({ catch: () => 'own' })
      own() {
        throw new Error('secret');
      }
    }
    @Catch()
    @Injectable({ scope: Scope.REQUEST })
    class Scoped implements ExceptionFilter {
      catch() {
        return 'of the application';
      }
    }
    const { client } = await filteredBy(() => 'of the application', {
      providers: [Gateway, Own, { provide: APP_FILTER, useClass: Scoped }],
      options: { routing: { globalFilters: false } },
    });
    const tester = await client();
    await expect(tester.request('n', 'plain')).rejects.toThrow('MINE');
    expect(await tester.request('n', 'own')).toBe('own');
  });
});

describe('a filter written for HTTP', () => {
  class Gateway {
    @WsRoute('h', 'refuse')
    refuse() {
      throw new NotFoundException('Nowhere.');
    }
  }

  @Catch(HttpException)
  class Answers implements ExceptionFilter {
    catch(exception: HttpException, host: ArgumentsHost) {
      const response = host.switchToHttp().getResponse<{ status(code: number): { json(body: object): void } }>();
      response.status(exception.getStatus()).json({ message: exception.message });
    }
  }

  const written: Record<string, (app: INestApplication) => ExceptionFilter> = {
    "Nest's own": (app) => new BaseExceptionFilter(app.getHttpAdapter()),
    'that uses the response': () => new Answers(),
  };

  it.each(Object.keys(written))('fails, and the exception is mapped (%s)', async (which) => {
    const { client, origin } = await start({
      providers: [Gateway],
      configure: (app) => void app.useGlobalFilters(written[which]!(app)),
    });
    const tester = await client();
    for (const data of [undefined, null, 'text', {}, { headersSent: true, status: 1, json: 2 }]) {
      await expect(tester.request('h', 'refuse', data)).rejects.toThrow('NOT_FOUND: Nowhere.');
    }
    expect((await fetch(`${origin}/nowhere`)).status).toBe(404);
  });
});

describe('WsClient.emit', () => {
  class Gateway {
    @WsRoute('e', 'mit')
    mit(client: WsClient, event: string) {
      return client.emit(event, { a: 1 });
    }
  }

  it("sends an event in its client's envelope", async () => {
    const { client } = await start({ providers: [Gateway] });
    const [typed, events] = [await client(), await client({ protocols: ['event.v1'] })];
    typed.send({ type: 'e', action: 'mit', data: 'exception' });
    expect(await typed.next()).toEqual({ type: 'event', action: 'exception', data: { a: 1 } });
    expect(await typed.next()).toMatchObject({ response: true });
    expect(await typed.request('e', 'mit', 'chat:send')).toBe(true);
    expect(await typed.next()).toEqual({ type: 'chat', action: 'send', data: { a: 1 } });
    await expect(typed.request('e', 'mit', 5)).rejects.toThrow('BAD_MESSAGE: The event is not a text.');
    events.send({ event: 'e:mit', data: 'exception' });
    expect(await events.next()).toEqual({ event: 'exception', data: { a: 1 } });
  });
});

describe('a subclass of BaseWsExceptionFilter', () => {
  @Catch()
  class Nested extends BaseWsExceptionFilter {
    constructor() {
      super({ includeCause: false });
    }
  }

  class Gateway {
    @WsRoute('b', 'ws')
    @UseFilters(new Nested())
    ws() {
      throw new WsException('Refused.');
    }

    @WsRoute('b', 'plain')
    plain(@MessageBody() data: unknown) {
      throw new WsException({ code: 'X', message: 'Refused.', from: typeof data });
    }
  }

  it('sends its frame as it writes it, and an id ends with the error', async () => {
    const { client } = await start({ providers: [Gateway] });
    const tester = await client();
    tester.send({ type: 'b', action: 'ws', id: 1 });
    const data = { status: 'error', message: 'Refused.' };
    // That of Nest 12 writes a frame, that of Nest 11 calls `client.emit('exception', data)`.
    const own = NEST_MAJOR < 12 ? { type: 'event', action: 'exception', data } : { event: 'exception', data };
    expect(await tester.next()).toEqual(own);
    expect(await tester.next()).toMatchObject({ type: 'error', id: 1, data: { error: 'Refused.' } });
    tester.send({ type: 'b', action: 'ws' });
    expect(await tester.next()).toEqual(own);
    await tester.expectNothing(50);
  });

  it("without one, what the client sent is not echoed, as Nest's own filter does", async () => {
    const { client } = await start({ providers: [Gateway] });
    const frame: Received = await (await client()).call('b', 'plain', 'the input');
    expect(JSON.stringify(frame)).not.toContain('the input');
    const details = { from: 'string' };
    expect(frame.data).toEqual({ error: 'Refused.', code: 'X', retryable: false, type: 'b', action: 'plain', details });
  });
});
