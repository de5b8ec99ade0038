import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { afterEach, describe, it } from 'node:test';
import { Logger as NestLogger, type DynamicModule, type ValueProvider } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { Logger, PARAMS_PROVIDER_TOKEN, type Params } from 'nestjs-pino';
import { WsRoute } from 'nestjs-pxl-websocket';
import { LoggingModule } from '../src/logging.module.js';
import { PLATFORMS, startsApps, type Platform } from '../support/app.js';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly context?: string;
  readonly requestId?: string;
  readonly userId?: string;
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
const [, ofPino] = Reflect.getMetadata('imports', LoggingModule) as [unknown, DynamicModule];
const given = ofPino.providers?.find((one) => 'provide' in one && one.provide === PARAMS_PROVIDER_TOKEN);
const { pinoHttp } = (given as ValueProvider<Params>).useValue;

describe('nestjs-pino, nestjs-cls, pino-http', () => {
  const startsApp = startsApps();
  afterEach(() => void lines.splice(0));

  const start = (platform: Platform) => {
    return startsApp({
      platform,
      imports: [LoggingModule],
      providers: [Gateway],
      options: { auth: { authenticate: () => ({ userId: 'ada' }) } },
      override: (builder) => {
        return builder.overrideProvider(PARAMS_PROVIDER_TOKEN).useValue({ pinoHttp: { ...pinoHttp, stream } });
      },
      configure: (app) => app.useLogger(app.get(Logger)),
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

      it('what a handler writes, and its failure, have the id of the message and its user', async () => {
        const client = await (await start(platform)).client();
        await Promise.all([client.request('log', 'twice'), client.request('log', 'twice')]);
        const written = lines.filter(({ context }) => context === 'Gateway');
        assert.deepEqual(
          written.map(({ userId }) => userId),
          ['ada', 'ada', 'ada', 'ada'],
        );
        const ids = new Set(written.map(({ requestId }) => requestId));
        assert.equal(ids.size, 2);
        assert.ok(!ids.has(undefined));
        await assert.rejects(client.request('log', 'fail'), { code: 'INTERNAL' });
        const failure = lines.find(({ msg }) => msg.includes('Gateway.fail failed.'));
        assert.equal(failure?.userId, 'ada');
        assert.ok(failure.requestId);
      });
    });
  }
});
