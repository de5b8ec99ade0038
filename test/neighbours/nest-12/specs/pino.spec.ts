import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { afterEach, describe, it } from 'node:test';
import { Logger as NestLogger, type DynamicModule, type ValueProvider } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { Logger, NativeLogger, PARAMS_PROVIDER_TOKEN, type Params } from 'nestjs-pino';
import { WsRoute } from 'nestjs-pxl-websocket';
import { LoggingModule } from '../src/logging.module.js';
import { PLATFORMS, startsApps, type Platform } from '../support/app.js';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly context?: string;
  readonly requestId?: string;
  readonly clientId?: string;
  readonly userId?: string;
  readonly route?: string;
  readonly params?: Record<string, unknown>;
  readonly stack?: string;
  readonly err?: { stack: string };
}

@WebSocketGateway()
class Gateway {
  readonly #logger = new NestLogger('Gateway');

  @WsRoute('log', 'twice')
  async twice() {
    this.#logger.log('first');
    await Promise.resolve();
    this.#logger.log('second');
  }

  @WsRoute('log', 'fail')
  fail() {
    throw new Error('of the handler');
  }
}

const lines: Line[] = [];
/** The package makes one logger for a process: all applications of this spec write here. */
const stream = new Writable({
  write: (chunk: Buffer, _encoding, done) => {
    lines.push(
      ...chunk
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line),
    );
    done();
  },
});
const [ofPino] = Reflect.getMetadata('imports', LoggingModule) as [DynamicModule];
const given = ofPino.providers?.find((one) => 'provide' in one && one.provide === PARAMS_PROVIDER_TOKEN);
const { pinoHttp } = (given as ValueProvider<Params>).useValue;

describe('nestjs-pino, pino-http', () => {
  const startsApp = startsApps();
  afterEach(() => void lines.splice(0));

  const start = (platform: Platform, logger: typeof Logger | typeof NativeLogger = Logger) => {
    return startsApp({
      platform,
      imports: [LoggingModule],
      providers: [Gateway],
      options: { auth: { authenticate: () => ({ userId: 'ada' }) }, requestContext: true },
      override: (builder) => {
        return builder.overrideProvider(PARAMS_PROVIDER_TOKEN).useValue({ pinoHttp: { ...pinoHttp, stream } });
      },
      configure: (app) => app.useLogger(app.get(logger)),
    });
  };

  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('its logger gets the lines of the library, and the failure of a handler with its stack', async () => {
        const { client } = await start(platform);
        await assert.rejects((await client()).request('log', 'fail'), { code: 'INTERNAL' });
        const failure = lines.find(({ msg }) => msg.includes('Gateway.fail failed. of the handler'));
        assert.equal(failure?.level, 50);
        assert.match(JSON.stringify(failure), /pino\.spec/);
        assert.ok(lines.some(({ context, msg }) => context === 'PxlWebSocket' && msg.includes('/ws')));
      });

      it('what a handler writes, and its failure, have the id of the message, its client, user and route', async () => {
        const client = await (await start(platform)).client();
        await Promise.all([client.request('log', 'twice'), client.request('log', 'twice')]);
        const written = lines.filter(({ context }) => context === 'Gateway');
        const { clientId } = client;
        const about = { clientId, userId: 'ada', route: 'log:twice' };
        assert.deepEqual(
          written.map(({ clientId, userId, route }) => ({ clientId, userId, route })),
          [about, about, about, about],
        );
        const ids = new Set(written.map(({ requestId }) => requestId));
        assert.equal(ids.size, 2);
        assert.ok([...ids].every((id) => id?.startsWith(`${clientId}.`)));
        await assert.rejects(client.request('log', 'fail'), { code: 'INTERNAL' });
        const failure = lines.find(({ msg }) => msg.includes('Gateway.fail failed.'));
        assert.deepEqual([failure?.userId, failure?.route], ['ada', 'log:fail']);
        assert.ok(failure?.requestId);
        assert.match(failure.err?.stack ?? '', /pino\.spec/);
      });

      it("its `NativeLogger` gets the fields of a line as Nest 12's own logger does", async () => {
        const client = await (await start(platform, NativeLogger)).client();
        await assert.rejects(client.request('log', 'fail'), { code: 'INTERNAL' });
        const failure = lines.find(({ msg }) => msg.includes('Gateway.fail failed.'));
        const { clientId, route, path } = failure?.params ?? {};
        assert.deepEqual({ clientId, route, path }, { clientId: client.clientId, route: 'log:fail', path: '/ws' });
        assert.match(failure?.stack ?? '', /pino\.spec/);
      });
    });
  }
});
