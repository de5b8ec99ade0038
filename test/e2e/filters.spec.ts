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
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { BaseWsExceptionFilter, MessageBody, WsException } from '@nestjs/websockets';
import { WsClient, WsError, WsRoute } from 'nestjs-pxl-websocket';
import { of } from 'rxjs';
import { Logbook } from '../support/logbook.js';
import { secondCopy } from '../support/second-copy.js';
import type { Received } from '../support/test-client.js';
import { startsOneApp } from '../support/test-app.js';

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
    ['400code', { error: 'Too many.', code: 'QUOTA', retryable: false }, false],
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

  @Catch(Mine)
  class Silent implements ExceptionFilter {
    catch(_exception: Mine, host: ArgumentsHost) {
      host.switchToWs().getClient<WsClient>().send({ type: 'silent', action: 'says', data: host.getType() });
    }
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

    @WsRoute('f', 'nothing')
    @UseFilters(Silent)
    nothing() {
      throw new Mine('m');
    }

    @WsRoute('f', 'throws')
    @UseFilters({
      catch: () => {
        throw new WsError('FILTERED', 'By the filter.');
      },
    })
    throws() {
      throw new Mine('m');
    }

    @WsRoute('f', 'breaks')
    @UseFilters({ catch: async () => Promise.reject(new Error('secret')) })
    breaks() {
      throw new Mine('m');
    }

    @WsRoute('f', 'guarded')
    @UseFilters({ catch: (exception: WsError) => exception.code })
    guarded(@MessageBody({ transform: () => Promise.reject(new WsError('PIPED', 'no')) }) data: unknown) {
      return data;
    }

    @WsRoute('f', 'fine')
    @UseFilters(Silent)
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

  it('that returns nothing has answered by itself: only an id is closed', async () => {
    const { client } = await start({ providers: [Gateway] });
    const tester = await client();
    tester.send({ type: 'f', action: 'nothing' });
    expect(await tester.next()).toEqual({ type: 'silent', action: 'says', data: 'ws' });
    await tester.expectNothing(50);
    tester.send({ type: 'f', action: 'nothing', id: 4 });
    expect(await tester.next('silent')).toBeDefined();
    expect(await tester.next()).toEqual({ type: 'f', action: 'nothing', id: 4, response: null });
  });

  it('that throws is answered by what it throws', async () => {
    const logger = new Logbook();
    const { client } = await start({ providers: [Gateway], logger });
    const tester = await client();
    await expect(tester.request('f', 'throws')).rejects.toThrow('FILTERED: By the filter.');
    await expect(tester.request('f', 'breaks')).rejects.toThrow('INTERNAL: Internal error.');
    expect(logger.of('error')).toEqual(['Gateway.breaks failed. secret']);
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

  it('sends its frame as it writes it, and the id is closed', async () => {
    const { client } = await start({ providers: [Gateway] });
    const tester = await client();
    tester.send({ type: 'b', action: 'ws', id: 1 });
    expect(await tester.next()).toEqual({ event: 'exception', data: { status: 'error', message: 'Refused.' } });
    expect(await tester.next()).toEqual({ type: 'b', action: 'ws', id: 1, response: null });
  });

  it("without one, what the client sent is not echoed, as Nest's own filter does", async () => {
    const { client } = await start({ providers: [Gateway] });
    const frame: Received = await (await client()).call('b', 'plain', 'the input');
    expect(JSON.stringify(frame)).not.toContain('the input');
    const details = { from: 'string' };
    expect(frame.data).toEqual({ error: 'Refused.', code: 'X', retryable: false, type: 'b', action: 'plain', details });
  });
});
