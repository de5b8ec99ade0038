import { describe, expect, it } from '@jest/globals';
import {
  composeHandlers,
  defineWebSocketSubscriber,
  errorRecoveryMiddleware,
  loggingMiddleware,
  rateLimitMiddleware,
  timingMiddleware,
  validationMiddleware,
  WebSocketService,
  withDebounce,
  withRateLimit,
  withRetry,
  type WebSocketSubscriberDefinition,
  type WebSocketSubscriberHandlerContext,
  type WebSocketSubscriberMiddleware,
} from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Diary } from '../support/diary.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startsOneApp } from '../support/test-app.js';
import { until } from '../support/until.js';

const start = startsOneApp();

interface Setting {
  clock: ManualRuntime;
  logger: Logbook;
  diary: Diary;
  /** Publishes, and resolves once every subscriber has had its turn, or waits on the clock. */
  publish(message: unknown, channel?: string): Promise<void>;
  close(): Promise<void>;
}

/** One subscriber of `orders` and `sales`, on a clock that the test turns. */
async function setUp(
  define: (diary: Diary) => Partial<WebSocketSubscriberDefinition<number>>,
  { isTurned = true } = {},
): Promise<Setting> {
  const [clock, logger, diary] = [new ManualRuntime(), new Logbook(), new Diary()];
  const handle = ({ message }: WebSocketSubscriberHandlerContext<number>): string => {
    diary.write(`handled ${message}`);
    return `result ${message}`;
  };
  const definition = { name: 'one', channels: ['orders', 'sales'], handle, ...define(diary) };
  const app = await start({
    logger,
    options: { subscribers: [definition] },
    override: (builder) => (isTurned ? builder.overrideProvider(Runtime).useValue(clock) : builder),
  });
  logger.lines.length = 0;
  return {
    clock,
    logger,
    diary,
    async publish(message, channel = 'orders') {
      await app.app.get(WebSocketService).publish(channel, message);
      for (let turns = 0; turns < 4; turns++) await new Promise((resolve) => setImmediate(resolve));
    },
    close: () => app.close(),
  };
}

/** A middleware that writes down all of its hooks. */
function witness(
  diary: Diary,
  name: string,
  answers: { before?: unknown; error?: unknown } = {},
): WebSocketSubscriberMiddleware<number> {
  return {
    name,
    onBefore: ({ message }) => {
      diary.write(`${name} before ${message}`);
      return answers.before;
    },
    onAfter: (_context, result) => diary.write(`${name} after ${String(result)}`),
    onError: (_context, error) => {
      diary.write(`${name} error ${error.message}`);
      return answers.error;
    },
  };
}

const failing = (): Promise<never> => Promise.reject(new Error('no ink'));

function throwing(): never {
  throw new Error('no hook');
}

describe('Middleware', () => {
  it('runs before in order, and after in reverse order, with the result', async () => {
    const { diary, publish } = await setUp((d) => ({
      middleware: [witness(d, 'a'), witness(d, 'b', { before: true })],
    }));
    await publish(1);
    expect(diary.entries).toEqual(['a before 1', 'b before 1', 'handled 1', 'b after result 1', 'a after result 1']);
  });

  it('may be asynchronous: each hook waits for the one before', async () => {
    const gate = new Gate();
    const { diary, publish } = await setUp((d) => ({
      middleware: [
        { name: 'slow', onBefore: () => gate.passed, onAfter: () => d.write('slow after') },
        { ...witness(d, 'b'), onAfter: () => Promise.resolve().then(() => d.write('b after')) },
      ],
    }));
    await publish(1);
    expect(diary.entries).toEqual([]);
    gate.open();
    await diary.until('slow after');
    expect(diary.entries).toEqual(['b before 1', 'handled 1', 'b after', 'slow after']);
  });

  it.each<[string, unknown]>([
    ['false', false],
    ['false later', Promise.resolve(false)],
  ])('of which one answers %s before: neither handler nor what comes after runs', async (_what, before) => {
    const { diary, logger, publish } = await setUp((d) => ({
      middleware: [witness(d, 'a'), witness(d, 'b', { before }), witness(d, 'c')],
    }));
    await publish(1);
    expect(diary.entries).toEqual(['a before 1', 'b before 1']);
    expect(logger.lines).toEqual([]);
  });

  it.each([undefined, null, 0, ''])('that answers %j before lets the handler run', async (before) => {
    const { diary, publish } = await setUp((d) => ({ middleware: [witness(d, 'a', { before })] }));
    await publish(1);
    expect(diary.entries).toContain('handled 1');
  });

  it('is told of an error in reverse order, all of it, and the error is logged', async () => {
    const { diary, logger, publish } = await setUp((d) => ({
      handle: failing,
      middleware: [witness(d, 'a'), witness(d, 'b', { error: 'yes' })],
    }));
    await publish(1);
    expect(diary.entries).toEqual(['a before 1', 'b before 1', 'b error no ink', 'a error no ink']);
    expect(logger.of('error')).toEqual(['The subscriber one failed on channel "orders". no ink']);
  });

  it.each<[string, unknown]>([
    ['true', true],
    ['true later', Promise.resolve(true)],
  ])('of which one answers an error with %s: it is not logged, and all are told', async (_what, error) => {
    const { diary, logger, publish } = await setUp((d) => ({
      handle: failing,
      middleware: [witness(d, 'a'), witness(d, 'b', { error })],
    }));
    await publish(1);
    expect(diary.entries).toEqual(['a before 1', 'b before 1', 'b error no ink', 'a error no ink']);
    expect(logger.lines).toEqual([]);
  });

  it('with a hook that throws is logged: before counts as false', async () => {
    const { diary, logger, publish } = await setUp((d) => ({
      middleware: [{ name: 'broken', onBefore: throwing }, witness(d, 'b')],
    }));
    await publish(1);
    expect(diary.entries).toEqual([]);
    expect(logger.of('error')).toEqual([
      'The hook broken.onBefore of the subscriber one failed on channel "orders". no hook',
    ]);
  });

  it('with a hook that throws is logged: the others run all the same', async () => {
    const { diary, logger, publish } = await setUp((d) => ({
      handle: ({ message }) => (message === 1 ? 'fine' : failing()),
      middleware: [witness(d, 'a'), { name: 'broken', onAfter: throwing, onError: throwing }],
    }));
    await publish(1);
    await publish(2);
    expect(diary.entries).toEqual(['a before 1', 'a after fine', 'a before 2', 'a error no ink']);
    expect(logger.of('error')).toEqual([
      'The hook broken.onAfter of the subscriber one failed on channel "orders". no hook',
      'The hook broken.onError of the subscriber one failed on channel "orders". no hook',
      'The subscriber one failed on channel "orders". no ink',
    ]);
  });

  it('is told of what its handler throws, not of its time limit', async () => {
    const gate = new Gate();
    const { publish, diary, clock, logger } = await setUp((diary) => ({
      handle: () => gate.passed.then(() => Promise.reject(new Error('no ink'))),
      middleware: [{ name: 'told', onError: (_context, error) => diary.write(error.message) }],
    }));
    await publish(1);
    await clock.advance(30_000);
    expect(logger.of('error')).toEqual([expect.stringContaining('It took longer than timeouts.subscriber')]);
    expect(diary.entries).toEqual([]);
    gate.open();
    await diary.until('no ink');
  });

  it('shares the time limit of its handler', async () => {
    const { clock, logger, publish } = await setUp(() => ({
      middleware: [{ name: 'stuck', onBefore: () => new Promise(() => undefined) }],
    }));
    await publish(1);
    await clock.advance(30_000);
    expect(logger.of('error').join()).toContain('It took longer than timeouts.subscriber (30000 ms).');
  });
});

describe('loggingMiddleware', () => {
  it('logs the beginning and the end of each run, and never the message', async () => {
    const { logger, publish } = await setUp(() => ({
      handle: ({ message }) => (message === 1 ? 'fine' : failing()),
      middleware: [loggingMiddleware('relay')],
    }));
    await publish(1);
    await publish(2);
    expect(logger.lines).toEqual([
      'log relay begins on channel "orders".',
      'log relay has finished on channel "orders".',
      'log relay begins on channel "orders".',
      'error relay has failed on channel "orders": no ink',
      'error The subscriber one failed on channel "orders". no ink',
    ]);
  });
});

describe('timingMiddleware', () => {
  it('logs how long a handler took, whether it finished or failed', async () => {
    const gates = [new Gate(), new Gate()];
    const { clock, logger, publish } = await setUp(() => ({
      handle: async ({ message }) => {
        await gates[message]?.passed;
        if (message === 1) await failing();
      },
      middleware: [timingMiddleware()],
    }));
    await publish(0);
    await clock.advance(40);
    gates[0]?.open();
    await publish(1);
    await clock.advance(7);
    gates[1]?.open();
    await until(() => logger.of('log').length === 2);
    expect(logger.of('log')).toEqual([
      'A handler took 40 ms on channel "orders".',
      'A handler took 7 ms on channel "orders".',
    ]);
  });
});

describe('validationMiddleware', () => {
  it('keeps messages that are not valid from the handler, and logs them', async () => {
    const { diary, logger, publish } = await setUp(() => ({
      middleware: [
        validationMiddleware((message: number) => {
          if (message === 1) throw new Error('it is odd');
          return message !== 2;
        }),
      ],
    }));
    for (const message of [1, 2, 4]) await publish(message);
    expect(diary.entries).toEqual(['handled 4']);
    expect(logger.lines).toEqual([
      'warn A message on channel "orders" is not valid: it is odd',
      'warn A message on channel "orders" is not valid: The message is not valid.',
    ]);
  });
});

describe('rateLimitMiddleware', () => {
  it('lets so many events of a channel through in a window', async () => {
    const { clock, diary, publish } = await setUp(() => ({ middleware: [rateLimitMiddleware(2, 1_000)] }));
    for (const message of [1, 2, 3]) await publish(message);
    await publish(4, 'sales');
    await clock.advance(999);
    await publish(5);
    await clock.advance(1);
    await publish(6);
    expect(diary.entries).toEqual(['handled 1', 'handled 2', 'handled 4', 'handled 6']);
  });

  it('refuses numbers that are no whole ones from 1', () => {
    expect(() => rateLimitMiddleware(0, 1)).toThrow('rateLimitMiddleware: max is a whole number from 1 to 2147483647.');
    expect(() => rateLimitMiddleware(1, 0)).toThrow(
      'rateLimitMiddleware: windowMs is a whole number from 1 to 2147483647.',
    );
  });
});

describe('errorRecoveryMiddleware', () => {
  it('keeps so many failures in a row on a channel out of the log, and no more', async () => {
    const { clock, logger, publish } = await setUp(() => ({
      handle: ({ message }) => (message === 0 ? 'fine' : failing()),
      middleware: [errorRecoveryMiddleware(2)],
    }));
    await publish(1);
    await publish(2);
    await publish(3, 'sales');
    expect(logger.lines).toEqual([]);
    await publish(4);
    expect(logger.of('error')).toHaveLength(1);
    await publish(0);
    await publish(5);
    await publish(6);
    expect(logger.of('error')).toHaveLength(1);
    await publish(7);
    await publish(8);
    expect(logger.of('error')).toHaveLength(3);
    await clock.advance(3_600_000);
    await publish(9);
    expect(logger.of('error')).toHaveLength(3);
  });

  it('refuses a number that is no whole one from 1', () => {
    expect(() => errorRecoveryMiddleware(0)).toThrow(
      'errorRecoveryMiddleware: maxErrors is a whole number from 1 to 2147483647.',
    );
  });
});

describe('A debounced handler', () => {
  it('runs for the last of many events, however slow its application hands them out', async () => {
    const { clock, diary, publish } = await setUp((d) => ({
      handle: withDebounce(({ message }) => d.write(`handled ${message}`), 100),
    }));
    for (const message of [1, 2, 3]) {
      await publish(message);
      await clock.advance(99);
    }
    expect(diary.entries).toEqual([]);
    await clock.advance(1);
    expect(diary.entries).toEqual(['handled 3']);
  });

  it('that fails, or never settles, is logged as any other', async () => {
    const { clock, logger, publish } = await setUp(() => ({
      handle: withDebounce(({ message }) => (message === 1 ? failing() : new Promise(() => undefined)), 100),
    }));
    await publish(1);
    await clock.advance(100);
    await publish(2);
    await clock.advance(100);
    await clock.advance(30_000);
    expect(logger.of('error')).toEqual([
      'The subscriber one failed on channel "orders". no ink',
      'The subscriber one failed on channel "orders". It took longer than timeouts.subscriber (30000 ms).',
    ]);
  });

  it('runs at once when the application stops, for the last event', async () => {
    const { diary, publish, close } = await setUp(
      (d) => ({ handle: withDebounce(({ message }) => d.write(`handled ${message}`), 60_000) }),
      { isTurned: false },
    );
    await publish(1);
    await publish(2);
    expect(diary.entries).toEqual([]);
    await close();
    expect(diary.entries).toEqual(['handled 2']);
  });

  it('waits for its turn behind the event that is being handled', async () => {
    const gate = new Gate();
    const { clock, diary, publish } = await setUp((d) => {
      const debounced = withDebounce(({ message }: WebSocketSubscriberHandlerContext<number>) => {
        d.write(`debounced ${message}`);
      }, 100);
      return { handle: ({ message, ...rest }) => (message === 2 ? gate.passed : debounced({ message, ...rest })) };
    });
    await publish(1);
    await publish(2);
    await clock.advance(100);
    expect(diary.entries).toEqual([]);
    gate.open();
    await diary.until('debounced 1');
  });
});

describe('A retried handler', () => {
  it('has one time limit for all of its tries, and begins none after it', async () => {
    let tries = 0;
    const { clock, logger, publish } = await setUp(() => ({
      handle: withRetry(
        () => {
          tries++;
          return failing();
        },
        10,
        7_000,
      ),
    }));
    await publish(1);
    for (let turns = 0; turns < 5; turns++) await clock.advance(7_000);
    expect(tries).toBe(5);
    await clock.advance(60_000);
    expect(tries).toBe(5);
    expect(logger.of('error').join()).toContain('It took longer than timeouts.subscriber');
  });
});

describe('One definition in two applications', () => {
  it('remembers nothing of the one in the other', async () => {
    const heard: unknown[] = [];
    const shared = defineWebSocketSubscriber({
      channel: 'orders',
      handle: composeHandlers([withRateLimit(({ message }) => heard.push(message), 1, 60_000)]),
    });
    const one = await start({ options: { subscribers: [shared] } });
    await one.app.get(WebSocketService).publish('orders', 1);
    await one.app.get(WebSocketService).publish('orders', 2);
    await until(() => heard.length === 1);
    await one.close();
    const other = await start({ options: { subscribers: [shared] } });
    await other.app.get(WebSocketService).publish('orders', 3);
    await until(() => heard.length === 2);
    expect(heard).toEqual([1, 3]);
  });
});
