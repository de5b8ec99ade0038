import { describe, expect, it } from '@jest/globals';
import { UseFilters, UseInterceptors, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { WsError, WsRoute } from 'nestjs-pxl-websocket';
import { concat, from, map, Observable, of, throwError } from 'rxjs';
import { Diary } from '../support/diary.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { startsOneApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';

const start = startsOneApp();

const passThrough = { intercept: (_context: ExecutionContext, next: CallHandler) => next.handle() };
const double = {
  intercept: (_context: ExecutionContext, next: CallHandler) => next.handle().pipe(map((value) => Number(value) * 2)),
};

async function* generate(values: number[], error?: Error) {
  for (const value of values) yield value;
  if (error) throw error;
}

function observe(values: number[], error?: Error): Observable<number> {
  return error
    ? concat(
        from(values),
        throwError(() => error),
      )
    : from(values);
}

/** Everything that comes for an id, up to its end. */
async function collect(tester: TestClient, id: string): Promise<unknown[]> {
  const values: unknown[] = [];
  for (;;) {
    const frame = await tester.take((message) => message.id === id);
    if (frame.type === 'error') return [...values, (frame.data as { code: string }).code];
    if (frame.done) return [...values, 'done'];
    values.push(frame.response);
  }
}

class Streams {
  readonly diary = new Diary();

  @WsRoute('observable', 'plain')
  observable(@MessageBody() values: number[]) {
    return observe(values);
  }

  @WsRoute('observable', 'intercepted')
  @UseInterceptors(passThrough, double)
  interceptedObservable(@MessageBody() values: number[]) {
    return observe(values);
  }

  @WsRoute('observable', 'broken')
  brokenObservable(@MessageBody() values: number[]) {
    return observe(values, new WsError('BROKEN', 'in the middle'));
  }

  @WsRoute('observable', 'broken-intercepted')
  @UseInterceptors(passThrough)
  async brokenInterceptedObservable(@MessageBody() values: number[]) {
    return observe(values, new WsError('BROKEN', 'in the middle'));
  }

  @WsRoute('observable', 'endless')
  endlessObservable(@MessageBody() name: string) {
    return this.#endless(name);
  }

  @WsRoute('observable', 'endless-intercepted')
  @UseInterceptors(passThrough)
  async endlessInterceptedObservable(@MessageBody() name: string) {
    return this.#endless(name);
  }

  @WsRoute('iterable', 'plain')
  iterable(@MessageBody() values: number[]) {
    return generate(values);
  }

  @WsRoute('iterable', 'intercepted')
  @UseInterceptors(passThrough, double)
  async interceptedIterable(@MessageBody() values: number[]) {
    return generate(values);
  }

  @WsRoute('iterable', 'broken')
  async brokenIterable(@MessageBody() values: number[]) {
    return generate(values, new WsError('BROKEN', 'in the middle'));
  }

  @WsRoute('iterable', 'broken-intercepted')
  @UseInterceptors(passThrough)
  brokenInterceptedIterable(@MessageBody() values: number[]) {
    return generate(values, new WsError('BROKEN', 'in the middle'));
  }

  @WsRoute('iterable', 'endless')
  @UseInterceptors(passThrough)
  async *endlessIterable(@MessageBody() name: string) {
    try {
      for (let value = 0; ; value++) yield value;
    } finally {
      this.diary.write(`ended ${name}`);
    }
  }

  @WsRoute('other', 'request')
  other() {
    return 'other';
  }

  #endless(name: string): Observable<number> {
    return new Observable((subscriber) => {
      subscriber.next(1);
      return () => this.diary.write(`ended ${name}`);
    });
  }
}

describe.each(['observable', 'iterable'])('a returned %s', (type) => {
  it.each([[[]], [[1]], [[1, 2, 3]]])('sends one reply per value of %j, then done', async (values) => {
    const { client } = await start({ providers: [Streams] });
    const tester = await client();
    tester.send({ type, action: 'plain', data: values, id: 'plain' });
    for (const value of values) {
      expect(await tester.next()).toEqual({ type, action: 'plain', id: 'plain', response: value });
    }
    expect(await tester.next()).toEqual({ type, action: 'plain', id: 'plain', done: true });
    tester.send({ type, action: 'intercepted', data: values, id: 'intercepted' });
    expect(await collect(tester, 'intercepted')).toEqual([...values.map((value) => value * 2), 'done']);
    tester.send({ type, action: 'intercepted', data: [1], id: 'intercepted' });
    expect(await collect(tester, 'intercepted')).toEqual([2, 'done']);
  });

  it.each(['broken', 'broken-intercepted'])(
    'that fails after its second value ends with the error (%s)',
    async (action) => {
      const { client } = await start({ providers: [Streams] });
      const tester = await client();
      tester.send({ type, action, data: [1, 2], id: 'b' });
      expect(await collect(tester, 'b')).toEqual([1, 2, 'BROKEN']);
      await tester.expectNothing(20);
    },
  );

  const endless = type === 'observable' ? ['endless', 'endless-intercepted'] : ['endless'];

  it.each(endless)('ends when it is cancelled (%s), with done; others go on', async (action) => {
    const { app, client } = await start({ providers: [Streams] });
    const tester = await client();
    tester.send({ type, action, data: 'one', id: 'one' });
    await tester.take(({ id }) => id === 'one');
    tester.send({ type, action, data: 'two', id: 'two' });
    await tester.take(({ id }) => id === 'two');
    tester.send({ type: 'system', action: 'cancel', data: { id: 'one' }, id: 'c' });
    await tester.take(({ id, done }) => id === 'one' && done === true);
    expect((await tester.take(({ id }) => id === 'c')).response).toBeNull();
    await app.get(Streams).diary.until('ended one');
    expect(app.get(Streams).diary.entries).toEqual(['ended one']);
    tester.send({ type: 'system', action: 'cancel', data: { id: 'two' } });
    await tester.take(({ id, done }) => id === 'two' && done === true);
  });

  it.each(endless)('ends when its client disconnects (%s)', async (action) => {
    const { app, client } = await start({ providers: [Streams] });
    const tester = await client();
    tester.send({ type, action, data: 'gone' });
    await tester.next(type);
    tester.socket.terminate();
    await app.get(Streams).diary.until('ended gone');
  });

  it('without an id sends its values without one', async () => {
    const { client } = await start({ providers: [Streams] });
    const tester = await client();
    tester.send({ type, action: 'plain', data: [1] });
    expect(await tester.next()).toEqual({ type, action: 'plain', response: 1 });
    expect(await tester.next()).toEqual({ type, action: 'plain', done: true });
  });

  it('leaves the queue once its handler has returned', async () => {
    const { client } = await start({ providers: [Streams] });
    const tester = await client();
    for (const action of endless) {
      tester.send({ type, action, data: 'open', id: action });
      expect(await tester.request('other', 'request')).toBe('other');
    }
  });
});

describe('limits.streamsPerClient', () => {
  it.each(['endless', 'endless-intercepted'])(
    'refuses one stream more (%s), and counts those that are open',
    async (action) => {
      const { client } = await start({ options: { limits: { streamsPerClient: 2 } }, providers: [Streams] });
      const tester = await client();
      for (const id of [1, 2, 3]) tester.send({ type: 'observable', action, data: 'x', id });
      expect((await tester.take(({ id }) => id === 3)).data).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
      expect(await tester.request('other', 'request')).toBe('other');
      tester.send({ type: 'system', action: 'cancel', data: { id: 1 } });
      await tester.take(({ id, done }) => id === 1 && done === true);
      tester.send({ type: 'observable', action, data: 'x', id: 4 });
      expect((await tester.take(({ id }) => id === 4)).response).toBe(1);
    },
  );
});

describe('cancel', () => {
  it('of an unknown id does nothing, and without an id is BAD_MESSAGE', async () => {
    const { client } = await start({ providers: [Streams] });
    const tester = await client();
    expect(await tester.request('system', 'cancel', { id: 'unknown' })).toBeNull();
    await expect(tester.request('system', 'cancel', {})).rejects.toThrow('BAD_MESSAGE');
    await expect(tester.request('system', 'cancel', null)).rejects.toThrow('BAD_MESSAGE');
  });
});

describe('a stream', () => {
  class Odd {
    readonly diary = new Diary();
    readonly gate = new Gate();

    @WsRoute('odd', 'late')
    async late() {
      this.diary.write('called');
      await this.gate.passed;
      return new Observable(() => {
        this.diary.write('subscribed');
        return () => this.diary.write('unsubscribed');
      });
    }

    @WsRoute('odd', 'teardown')
    teardown() {
      return new Observable((subscriber) => {
        subscriber.next(1);
        return () => {
          throw new Error('torn');
        };
      });
    }

    @WsRoute('odd', 'return')
    return() {
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => new Gate<IteratorResult<number>>().passed,
          return: () => {
            throw new Error('no return');
          },
        }),
      };
    }

    @WsRoute('odd', 'no-json')
    noJson() {
      return of(1, 2n, 3);
    }

    @WsRoute('odd', 'filtered')
    @UseFilters({ catch: (exception: Error) => exception.message })
    filtered() {
      return observe([1], new Error('caught'));
    }
  }

  it('that its handler returns after its client has gone is never left open', async () => {
    const { app, client } = await start({ providers: [Odd] });
    const odd = app.get(Odd);
    const tester = await client();
    tester.send({ type: 'odd', action: 'late' });
    await odd.diary.until('called');
    tester.socket.terminate();
    await tester.closed;
    odd.gate.open();
    await app.close();
    expect(odd.diary.entries.filter((entry) => entry === 'subscribed')).toHaveLength(
      odd.diary.entries.filter((entry) => entry === 'unsubscribed').length,
    );
  });

  it.each(['teardown', 'return'])('whose producer fails to end (%s) harms nobody', async (action) => {
    const { app, client } = await start({ providers: [Odd], logger: new Logbook() });
    const tester = await client();
    tester.send({ type: 'odd', action, id: 1 });
    tester.send({ type: 'system', action: 'cancel', data: { id: 1 } });
    await tester.take(({ id, done }) => id === 1 && done === true);
    tester.send({ type: 'odd', action, id: 1 });
    await tester.request('system', 'cancel', { id: 'none' });
    tester.socket.terminate();
    await app.close();
  });

  it('ends with INTERNAL at a value without a JSON form, and with the reply of a filter', async () => {
    const { client } = await start({ providers: [Odd] });
    const tester = await client();
    tester.send({ type: 'odd', action: 'no-json', id: 'n' });
    expect(await collect(tester, 'n')).toEqual([1, 'INTERNAL']);
    tester.send({ type: 'odd', action: 'filtered', id: 'f' });
    expect(await collect(tester, 'f')).toEqual([1, 'caught', 'done']);
  });
});
