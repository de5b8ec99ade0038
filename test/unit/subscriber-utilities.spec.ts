import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import {
  composeHandlers,
  getNestedProperty,
  matchByProperty,
  matchByPropertyPredicate,
  withDebounce,
  withErrorHandler,
  withFilter,
  withLogging,
  withMetadata,
  withRateLimit,
  withRetry,
  withThrottle,
  withValidation,
  type WebSocketSubscriberHandlerContext,
} from 'nestjs-pxl-websocket';
import { HandlerContexts } from '../support/handler-context.js';
import { Logbook } from '../support/logbook.js';
import { refused } from '../support/refused.js';

type Context = WebSocketSubscriberHandlerContext<number>;

let contexts: HandlerContexts;
let ran: number[];
const handler = ({ message }: Context): number => {
  ran.push(message);
  return message * 10;
};

beforeEach(() => {
  contexts = new HandlerContexts();
  ran = [];
});

describe('getNestedProperty', () => {
  const object = { user: { id: 7, 'a.b': 1 }, items: [{ name: 'tea' }], nothing: null, zero: 0 };

  it.each<[string, unknown]>([
    ['user.id', 7],
    ['items.0.name', 'tea'],
    ['items.length', 1],
    ['items.1.name', undefined],
    ['nothing', null],
    ['nothing.more', undefined],
    ['zero', 0],
    ['zero.more', undefined],
    ['user', object.user],
    ['unknown', undefined],
    ['', undefined],
    ['__proto__', undefined],
    ['constructor.name', undefined],
    ['user.toString', undefined],
  ])('%s', (path, value) => {
    expect(getNestedProperty(object, path)).toBe(value);
  });

  it.each([null, undefined, 7, 'text'])('leads nowhere in %s', (value) => {
    expect(getNestedProperty(value, 'length')).toBeUndefined();
  });
});

describe('matchByProperty', () => {
  it('picks by identity, at any depth', () => {
    const message = { type: 'analytics', user: { id: 7 } };
    expect(matchByProperty('type', 'analytics')(contexts.make(message))).toBe(true);
    expect(matchByProperty('user.id', 7)(contexts.make(message))).toBe(true);
    expect(matchByProperty('user.id', '7')(contexts.make(message))).toBe(false);
    expect(matchByProperty('user.id', 7)(contexts.make(null))).toBe(false);
    expect(matchByProperty('missing', undefined)(contexts.make(message))).toBe(true);
  });
});

describe('matchByPropertyPredicate', () => {
  it('asks about the property, or its absence', () => {
    const isUrgent = matchByPropertyPredicate('priority', (value: number) => value > 5);
    expect(isUrgent(contexts.make({ priority: 6 }))).toBe(true);
    expect(isUrgent(contexts.make({ priority: 5 }))).toBe(false);
    expect(isUrgent(contexts.make('text'))).toBe(false);
    expect(matchByPropertyPredicate('a.b', (value) => value === undefined)(contexts.make({}))).toBe(true);
  });
});

describe('withErrorHandler', () => {
  it('gives what was thrown, as an error, and the context to onError, and settles', async () => {
    const context = contexts.make(1);
    const seen: unknown[] = [];
    const wrapped = withErrorHandler(
      () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw 'no ink';
      },
      (error, given) => seen.push(error.message, given),
    );
    await wrapped(context);
    expect(seen).toEqual(['no ink', context]);
  });

  it('gives the result of a handler that succeeds', async () => {
    expect(await withErrorHandler(handler, () => ran.push(-1))(contexts.make(1))).toBe(10);
    expect(ran).toEqual([1]);
  });

  it('fails with what onError throws', async () => {
    const wrapped = withErrorHandler(
      () => Promise.reject(new Error('no ink')),
      async ({ message }) => Promise.reject(new Error(`${message}, no phone`)),
    );
    await expect(wrapped(contexts.make(1))).rejects.toThrow('no ink, no phone');
  });
});

describe('withRateLimit', () => {
  it('lets so many through in a window from the first one on, and tells of the others', async () => {
    const limited: number[] = [];
    const wrapped = withRateLimit(handler, 2, 1_000, ({ message }) => limited.push(message));
    expect(await wrapped(contexts.make(1))).toBe(10);
    await contexts.clock.advance(999);
    await wrapped(contexts.make(2));
    expect(await wrapped(contexts.make(3))).toBeUndefined();
    await contexts.clock.advance(1);
    await wrapped(contexts.make(4));
    expect(ran).toEqual([1, 2, 4]);
    expect(limited).toEqual([3]);
  });

  it('counts each channel, and each application, for itself', async () => {
    const wrapped = withRateLimit(handler, 1, 1_000);
    const other = new HandlerContexts();
    for (const context of [contexts.make(1, 'a'), contexts.make(2, 'b'), other.make(3, 'a'), contexts.make(4, 'a')]) {
      await wrapped(context);
    }
    expect(ran).toEqual([1, 2, 3]);
  });

  it('waits for onLimit', async () => {
    const wrapped = withRateLimit(handler, 1, 1_000, () => Promise.reject(new Error('too much')));
    await wrapped(contexts.make(1));
    await expect(wrapped(contexts.make(2))).rejects.toThrow('too much');
  });

  it.each([
    [0, 1],
    [1.5, 1],
    [1, 0],
    [1, Infinity],
  ])('refuses (%d, %d) where it is written', (max, windowMs) => {
    expect(() => withRateLimit(handler, max, windowMs)).toThrow(RangeError);
  });
});

describe('withRetry', () => {
  function failing(times: number): (context: Context) => Promise<number> {
    return async (context) => {
      const result = handler(context);
      if (ran.length <= times) throw new Error(`failure ${ran.length}`);
      return result;
    };
  }

  it('tries again after waits that grow', async () => {
    const result = withRetry(failing(3), 3, 100, 2)(contexts.make(1));
    await contexts.clock.advance(0);
    for (const [wait, tries] of [
      [100, 2],
      [200, 3],
      [400, 4],
    ] as const) {
      await contexts.clock.advance(wait - 1);
      expect(ran).toHaveLength(tries - 1);
      await contexts.clock.advance(1);
      expect(ran).toHaveLength(tries);
    }
    expect(await result).toBe(10);
  });

  it('fails with the last failure when the retries are used up, the first try not counted', async () => {
    const result = withRetry(failing(9), 2, 0)(contexts.make(1));
    const failed = expect(result).rejects.toThrow('failure 3');
    await contexts.clock.advance(0);
    await contexts.clock.advance(0);
    await failed;
    expect(ran).toHaveLength(3);
  });

  it('does not try again what succeeds, nor without retries', async () => {
    expect(await withRetry(failing(0), 5, 100)(contexts.make(1))).toBe(10);
    await expect(withRetry(failing(9), 0, 100)(contexts.make(1))).rejects.toThrow('failure 2');
    expect(ran).toHaveLength(2);
  });

  it('does not begin a try when its time is over', async () => {
    const result = withRetry(failing(9), 5, 100)(contexts.make(1));
    const failed = expect(result).rejects.toThrow('failure 1');
    await contexts.clock.advance(0);
    contexts.isOver = true;
    await contexts.clock.advance(100);
    await failed;
    expect(ran).toHaveLength(1);
  });

  it.each([
    [-1, 0, 1],
    [0.5, 0, 1],
    [1, -1, 1],
    [1, 1, 0.5],
    [1, 1, NaN],
  ])('refuses (%d, %d, %d) where it is written', (retries, delayMs, backoff) => {
    expect(() => withRetry(handler, retries, delayMs, backoff)).toThrow(RangeError);
  });
});

describe('withValidation', () => {
  it('runs the handler for valid messages', async () => {
    const seen: number[] = [];
    expect(await withValidation((message) => void seen.push(message), handler)(contexts.make(1))).toBe(10);
    expect(seen).toEqual([1]);
  });

  it.each<[string, (message: number) => unknown, unknown]>([
    [
      'throws',
      () => {
        throw new Error('odd');
      },
      expect.objectContaining({ message: 'odd' }),
    ],
    ['rejects', () => Promise.reject(new Error('odd')), expect.objectContaining({ message: 'odd' })],
    ['answers false', (message) => message > 5, refused('VALIDATION_FAILED')],
    ['answers false later', async (message) => message > 5, refused('VALIDATION_FAILED')],
  ])('fails, and does not run it, where the check %s', async (_how, validate, failure) => {
    await expect(withValidation(validate, handler)(contexts.make(1))).rejects.toEqual(failure);
    expect(ran).toEqual([]);
  });
});

describe('withFilter', () => {
  it('runs the handler where the predicate says so, now or later', async () => {
    const isOdd = ({ message }: Context): boolean => message % 2 === 1;
    for (const message of [1, 2, 3]) await withFilter(isOdd, handler)(contexts.make(message));
    for (const message of [4, 5]) await withFilter(async (context) => isOdd(context), handler)(contexts.make(message));
    expect(ran).toEqual([1, 3, 5]);
    expect(await withFilter(isOdd, handler)(contexts.make(2))).toBeUndefined();
    expect(await withFilter(isOdd, handler)(contexts.make(1))).toBe(10);
  });
});

describe('withLogging', () => {
  const logbook = new Logbook();
  beforeEach(() => {
    Logger.overrideLogger(logbook);
  });
  afterEach(() => {
    Logger.overrideLogger(false);
    logbook.lines.length = 0;
  });

  it('logs the end of each run with its time, and never the message', async () => {
    const waiting = ({ clock }: HandlerContexts): Promise<void> => new Promise((resolve) => clock.timeout(40, resolve));
    const result = withLogging(() => waiting(contexts).then(() => 'done'), 'relay')(contexts.make('secret', 'a\nb'));
    await contexts.clock.advance(40);
    expect(await result).toBe('done');
    expect(logbook.lines).toEqual(['log relay finished on channel "a\\nb" after 40 ms.']);
  });

  it('logs a failure, and passes it on', async () => {
    const wrapped = withLogging(() => Promise.reject(new Error('no ink')), 'relay');
    await expect(wrapped(contexts.make(1))).rejects.toThrow('no ink');
    expect(logbook.lines).toEqual(['error relay failed on channel "orders" after 0 ms: no ink']);
  });
});

describe('withDebounce', () => {
  it('runs once the channel was silent, for its last event', async () => {
    const wrapped = withDebounce(handler, 100);
    wrapped(contexts.make(1));
    await contexts.clock.advance(99);
    wrapped(contexts.make(2));
    await contexts.clock.advance(99);
    expect(ran).toEqual([]);
    await contexts.clock.advance(1);
    expect(ran).toEqual([2]);
    wrapped(contexts.make(3));
    await contexts.clock.advance(100);
    expect(ran).toEqual([2, 3]);
  });

  it('keeps channels and applications apart', async () => {
    const wrapped = withDebounce(handler, 100);
    const other = new HandlerContexts();
    wrapped(contexts.make(1, 'a'));
    wrapped(contexts.make(2, 'b'));
    wrapped(other.make(3, 'a'));
    await contexts.clock.advance(100);
    await other.clock.advance(100);
    expect(ran).toEqual([1, 2, 3]);
  });

  it('leaves no timer behind', async () => {
    const wrapped = withDebounce(handler, 100);
    for (let at = 0; at < 1_000; at++) wrapped(contexts.make(at, `channel ${at % 10}`));
    expect(contexts.clock.size).toBe(10);
    await contexts.clock.advance(100);
    expect(contexts.clock.size).toBe(0);
    expect(ran).toHaveLength(10);
  });
});

describe('withThrottle', () => {
  it('runs for the first event, and for none within the time after it', async () => {
    const wrapped = withThrottle(handler, 100);
    expect(await wrapped(contexts.make(1))).toBe(10);
    await contexts.clock.advance(99);
    expect(await wrapped(contexts.make(2))).toBeUndefined();
    await contexts.clock.advance(1);
    await wrapped(contexts.make(3));
    expect(ran).toEqual([1, 3]);
  });

  it('keeps channels and applications apart', async () => {
    const wrapped = withThrottle(handler, 100);
    const other = new HandlerContexts();
    for (const context of [contexts.make(1, 'a'), contexts.make(2, 'b'), other.make(3, 'a'), other.make(4, 'a')]) {
      await wrapped(context);
    }
    expect(ran).toEqual([1, 2, 3]);
  });

  it('refuses a time that a timer cannot be set to', () => {
    expect(() => withThrottle(handler, 0)).toThrow('withThrottle: ms is a whole number from 1 to 2147483647.');
    expect(() => withDebounce(handler, 0.5)).toThrow('withDebounce: ms is a whole number from 1 to 2147483647.');
    expect(() => withDebounce(handler, 2 ** 31)).toThrow('withDebounce: ms is a whole number from 1 to 2147483647.');
  });
});

describe('withMetadata', () => {
  it('puts the metadata beside the rest of the context, which stays as it was', () => {
    const context = contexts.make(1);
    const wrapped = withMetadata(
      { source: 'billing' },
      ({ metadata, message, channel }: Context & { metadata: { source: string } }) => {
        return [metadata.source, message, channel];
      },
    );
    expect(wrapped(context)).toEqual(['billing', 1, 'orders']);
    expect(context).not.toHaveProperty('metadata');
  });

  it('keeps what utilities inside of it remember', async () => {
    const wrapped = withMetadata({}, withThrottle(handler, 100));
    await wrapped(contexts.make(1));
    await wrapped(contexts.make(2));
    expect(ran).toEqual([1]);
  });
});

describe('composeHandlers', () => {
  it('runs one after another, with one context', async () => {
    const order: string[] = [];
    const step = (name: string, ms: number) => async (context: Context) => {
      order.push(`${name} begins`);
      await new Promise<void>((resolve) => contexts.clock.timeout(ms, resolve));
      order.push(`${name} ends with ${context.message}`);
    };
    const all = composeHandlers([step('a', 20), step('b', 10)])(contexts.make(1));
    await contexts.clock.advance(30);
    await all;
    expect(order).toEqual(['a begins', 'a ends with 1', 'b begins', 'b ends with 1']);
  });

  it('ends with the first failure', async () => {
    const failing = (): Promise<never> => Promise.reject(new Error('no ink'));
    await expect(composeHandlers([handler, failing, handler])(contexts.make(1))).rejects.toThrow('no ink');
    expect(ran).toEqual([1]);
  });

  it('begins none when their time is over', async () => {
    const ending = (): void => {
      contexts.isOver = true;
    };
    await composeHandlers([handler, ending, handler])(contexts.make(1));
    expect(ran).toEqual([1]);
  });

  it('composes with every other utility', async () => {
    const relay = composeHandlers([
      withFilter(({ message }: Context) => message > 1, withRateLimit(withRetry(handler, 1, 10), 1, 1_000)),
      withErrorHandler(
        withValidation(() => false, handler),
        (_error, { message }) => ran.push(-message),
      ),
    ]);
    for (const message of [1, 2, 3]) await relay(contexts.make(message));
    expect(ran).toEqual([-1, 2, -2, -3]);
  });
});

describe('A wrapped handler that is called by hand', () => {
  it('works on the real clock', async () => {
    const context = { channel: 'orders', message: 1 } as Context;
    const debounced = new Promise((resolve) => withDebounce(resolve, 1)(context));
    expect(await withRetry(withThrottle(handler, 1_000), 1, 1)(context)).toBe(10);
    expect(await debounced).toMatchObject({ channel: 'orders', message: 1 });
  });
});
