import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Logger, type LoggerService } from '@nestjs/common';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  defineWebSocketSubscriber,
  WebSocketService,
  wsLogFields,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
  type WsFailure,
  type WsLogFields,
  type WsStandardSchema,
} from 'nestjs-pxl-websocket';
import { ModuleLogger } from '../../lib/errors/module-logger.js';
import { pageOf } from '../support/documents.js';
import { Logbook } from '../support/logbook.js';
import { NEST_MAJOR } from '../support/nest-version.js';
import { startsOneApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { claimsOf, hs256, SECRET, seconds } from '../support/tokens.js';
import { until } from '../support/until.js';
import { urlIdentity } from '../support/url-identity.js';

const start = startsOneApp();

@WebSocketGateway()
class Gateway {
  readonly #logger = new Logger('Gateway');

  @WsRoute('log', 'fail')
  async fail() {
    await new Promise(setImmediate);
    throw Object.assign(new Error('of the handler'), { code: 'E_ODD' });
  }

  @WsRoute('log', 'line')
  line() {
    this.#logger.log('a line of the application');
  }
}

/** A logger that takes no objects, as many do: with what it is called. */
class PlainLogger implements LoggerService {
  readonly calls: unknown[][] = [];
  /** What `wsLogFields()` tells while a line is written. */
  readonly fields: [line: unknown, fields: WsLogFields][] = [];

  log = (...call: unknown[]): void => this.#note(call);
  warn = (...call: unknown[]): void => this.#note(call);
  error = (...call: unknown[]): void => this.#note(call);
  debug = (...call: unknown[]): void => this.#note(call);

  /** The call whose line begins so. */
  find(beginning: string): unknown[] | undefined {
    return this.calls.find(([line]) => String(line).startsWith(beginning));
  }

  #note(call: unknown[]): void {
    this.calls.push(call);
    this.fields.push([call[0], wsLogFields()]);
  }
}

/** The same, of one that says that it takes them. */
class StructuredLogger extends PlainLogger {
  readonly structuredParams = true;
}

/** What Nest's console logger has written, a text for each record; its stacks go to stderr beside them. */
function watchConsole(): string[] {
  const records: string[] = [];
  const note = (text: unknown): boolean => records.push(String(text)) > 0;
  jest.spyOn(console, 'log').mockImplementation(note);
  jest.spyOn(console, 'error').mockImplementation(note);
  return records;
}

afterEach(() => {
  jest.restoreAllMocks();
});

async function fail(logger: LoggerService, options: PxlWebSocketModuleOptions = {}): Promise<string> {
  const { client } = await start({
    options: { auth: { authenticate: urlIdentity }, ...options },
    providers: [Gateway],
    logger,
  });
  const ada = await client({ path: '/ws?userId=ada' });
  await ada.request('log', 'line');
  await expect(ada.request('log', 'fail')).rejects.toThrow('INTERNAL');
  return ada.clientId;
}

const FAILED = 'Gateway.fail failed. of the handler';

describe('The fields of a line', () => {
  it('are an object after the sentence where the logger says that it takes one', async () => {
    const logger = new StructuredLogger();
    const clientId = await fail(logger, { requestContext: true });
    const [, fields, stack, context] = logger.find(FAILED) ?? [];
    const requestId = expect.stringMatching(new RegExp(`^${clientId}\\.\\d+$`));
    expect(fields).toEqual({ requestId, clientId, userId: 'ada', path: '/ws', route: 'log:fail', code: 'E_ODD' });
    expect(stack).toContain('log-fields.spec');
    expect(context).toBe('PxlWebSocket');
    expect(logger.find('Clients connect to')?.slice(1)).toEqual(['PxlWebSocket']);
  });

  it('are told by wsLogFields() while a line is written, to loggers that get the sentence alone', async () => {
    const logger = new PlainLogger();
    const clientId = await fail(logger, { requestContext: true });
    expect(logger.find(FAILED)?.slice(1)).toEqual([expect.stringContaining('log-fields.spec'), 'PxlWebSocket']);
    const fieldsOf = (beginning: string): WsLogFields | undefined =>
      logger.fields.find(([line]) => String(line).startsWith(beginning))?.[1];
    expect(fieldsOf(FAILED)).toMatchObject({ clientId, userId: 'ada', route: 'log:fail', code: 'E_ODD' });
    const ofApplication = fieldsOf('a line of the application');
    expect(ofApplication).toEqual({
      requestId: expect.stringMatching(new RegExp(`^${clientId}\\.\\d+$`)),
      clientId,
      userId: 'ada',
      path: '/ws',
      route: 'log:line',
    });
    expect(fieldsOf('Clients connect to')).toEqual({});
    expect(wsLogFields()).toEqual({});
  });

  it('of the library are there without the option requestContext, but for the id of the request', async () => {
    const logger = new StructuredLogger();
    const clientId = await fail(logger);
    const [, fields] = logger.find(FAILED) ?? [];
    expect(fields).toEqual({ clientId, userId: 'ada', path: '/ws', route: 'log:fail', code: 'E_ODD' });
    expect(logger.fields.find(([line]) => line === 'a line of the application')?.[1]).toEqual({});
  });

  it('are part of the record that the console logger of Nest 12 writes as JSON, and no record of their own in Nest 11', async () => {
    const records = watchConsole();
    const clientId = await fail(new ConsoleLogger({ json: true, forceConsole: true }));
    const written = records.map((record) => JSON.parse(record) as Record<string, unknown>);
    const about = written.filter((record) => JSON.stringify(record).includes(clientId) || record.message === FAILED);
    const params = { clientId, userId: 'ada', path: '/ws', route: 'log:fail', code: 'E_ODD' };
    const failure = { level: 'error', message: FAILED, context: 'PxlWebSocket', stack: expect.any(String) };
    expect(about).toEqual([expect.objectContaining(NEST_MAJOR > 11 ? { ...failure, params } : failure)]);
  });

  it('stand behind the sentence, in its line, where the console logger writes text', async () => {
    const records = watchConsole();
    const clientId = await fail(new ConsoleLogger({ colors: false, forceConsole: true }));
    const [line = '', ...others] = records.filter((record) => record.includes(FAILED) && !record.startsWith('Error'));
    const fields = `{ clientId: '${clientId}', userId: 'ada', path: '/ws', route: 'log:fail', code: 'E_ODD' }`;
    expect(line.replace(/.*\[PxlWebSocket\] /, '')).toBe(NEST_MAJOR > 11 ? `${FAILED} ${fields}` : FAILED);
    expect(others).toEqual([]);
    expect(records.every((record) => !record.startsWith('Object('))).toBe(true);
  });

  it('are no arguments for a console logger that was told not to collect them', async () => {
    const records = watchConsole();
    await fail(new ConsoleLogger({ colors: false, forceConsole: true, structuredParams: false }));
    expect(records.find((record) => record.includes(FAILED))).toMatch(/of the handler$/);
    expect(records.every((record) => !record.includes('clientId'))).toBe(true);
  });

  it('are left out while lines are kept for a logger that nobody knows yet', () => {
    const logger = new StructuredLogger();
    const stack = 'Error: It failed.\n    at here.js:1:1';
    Logger.attachBuffer();
    try {
      new ModuleLogger().error('It failed.', { clientId: 'a' }, stack);
      Logger.overrideLogger(logger);
      Logger.flush();
      expect(logger.calls).toEqual([['It failed.', stack, 'PxlWebSocket']]);
    } finally {
      Logger.detachBuffer();
      Logger.overrideLogger(false);
    }
  });

  it('go to events.onError with the error and the sentence', async () => {
    const failures: WsFailure[] = [];
    const clientId = await fail(new Logbook(), { events: { onError: (failure) => void failures.push(failure) } });
    expect(failures).toEqual([
      {
        error: expect.objectContaining({ message: 'of the handler' }),
        message: 'Gateway.fail failed.',
        code: 'E_ODD',
        clientId,
        userId: 'ada',
        path: '/ws',
        route: 'log:fail',
      },
    ]);
  });
});

describe('The log', () => {
  const [, section = ''] = /^## Logs$(.*?)^## /ms.exec(pageOf('docs/observability.md').text) ?? [];
  /** The fields that the documentation tells. */
  const documented = [...section.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name);

  const PAYLOAD = 'ThePayloadOfTheTest';

  @WebSocketGateway()
  class Confidant {
    handleDisconnect() {
      throw new Error('of the end');
    }

    @WsRoute('secret', 'fail')
    fail() {
      throw new Error('of the handler');
    }

    @WsRoute('secret', 'leave')
    leave(client: WsClient, @MessageBody() data: object) {
      void client.call({ type: 'ask', action: 'me', data }, { timeout: 20 });
      return data;
    }
  }

  /** A schema whose sentence quotes what it has got, as those of valibot do. */
  const quoting: WsStandardSchema = {
    '~standard': {
      version: 1,
      vendor: 'the test',
      validate: (value) => ({
        issues: [{ message: `Expected a number, not ${JSON.stringify(value)}`, path: ['count'] }],
      }),
    },
  };

  it('has no token and no payload, whatever fails', async () => {
    const logger = new StructuredLogger();
    const failing = (): never => {
      throw new Error('of the application');
    };
    const { app, url, client } = await start({
      options: {
        auth: { jwt: { secret: SECRET }, tokenFrom: ['query', 'header', 'protocol'], mode: 'either', required: false },
        rooms: { authorize: failing },
        requestContext: true,
        events: { onMessage: failing, onDisconnected: failing, onError: failing },
        subscribers: [
          defineWebSocketSubscriber({
            channel: 'orders',
            schema: quoting,
            handle: () => undefined,
          }),
          defineWebSocketSubscriber({ channel: 'orders', handle: failing }),
        ],
      },
      providers: [Confidant],
      logger,
    });
    const good = hs256(claimsOf('ada'));
    // The last one has claims that are no JSON: the sentence of JSON.parse quotes what it reads.
    const odd = `${good.split('.')[0]}.${Buffer.from(PAYLOAD).toString('base64url')}.c2lnbmF0dXJl`;
    const bad = [
      hs256(claimsOf('ada', { exp: seconds(-60) })),
      hs256(claimsOf('ada'), 'another secret of this test'),
      odd,
    ];
    for (const token of bad) {
      await expect(TestClient.connect(`${url()}?token=${token}`)).rejects.toThrow('401');
      await expect(TestClient.connect(url(), { token })).rejects.toThrow('401');
    }
    const ada = await client({ token: good });
    for (const action of ['fail', 'leave', 'nowhere']) {
      await ada.request('secret', action, { text: PAYLOAD }).catch(() => undefined);
    }
    ada.send({ type: 'secret', action: 'fail', data: PAYLOAD });
    ada.send(`{"type":"secret",${PAYLOAD}`);
    ada.send({ type: 'system', action: 'refresh', data: { token: bad[0] } });
    ada.send({ type: 'system', action: 'join', data: { room: 'room', state: PAYLOAD } });
    await app.get(WebSocketService).publish('orders', { count: PAYLOAD });
    await until(() => logger.calls.filter(([line]) => String(line).includes('channel "orders"')).length === 2);
    await ada.close();
    await until(() => logger.find('Confidant.handleDisconnect failed.') !== undefined);
    for (const beginning of ['Confidant.fail failed.', 'An authentication was refused', 'events.onMessage failed.']) {
      expect(logger.find(beginning)).toBeDefined();
    }
    const names = new Set(logger.fields.flatMap(([, fields]) => Object.keys(fields)));
    expect([...names].sort()).toEqual([...documented].sort());
    const all = JSON.stringify([logger.calls, logger.fields]);
    for (const secret of [PAYLOAD, good, ...bad, SECRET]) expect(all).not.toContain(secret);
    const parts = [good, ...bad].flatMap((token) => token.split('.').slice(1));
    expect(parts.filter((part) => all.includes(part))).toEqual([]);
  });
});
