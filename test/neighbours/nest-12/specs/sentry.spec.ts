import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import * as Sentry from '@sentry/nestjs';
import { SentryGlobalFilter, SentryModule } from '@sentry/nestjs/setup';
import { Controller, Get, NotFoundException } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ConnectedSocket, MessageBody, WebSocketGateway, WsException } from '@nestjs/websockets';
import { WsError, WsRoute, WsSubscriber, type WsClient } from 'nestjs-pxl-websocket';
import { MonitoredModule } from '../src/sentry.module.js';
import { PLATFORMS, startsApps, type Platform } from '../support/app.js';
import { until } from '../support/until.js';

const captured: string[] = [];
Sentry.init({
  dsn: 'http://key@127.0.0.1:9/1',
  beforeSend: (event) => {
    captured.push(event.exception?.values?.at(-1)?.value ?? event.message ?? 'nothing');
    return null;
  },
});

@WebSocketGateway()
class Gateway {
  @WsRoute('sentry', 'fail')
  fail() {
    throw new Error('unexpected');
  }

  @WsRoute('sentry', 'join')
  join(@ConnectedSocket() client: WsClient) {
    return client.join('lobby');
  }

  @WsRoute('sentry', 'stream')
  async *stream() {
    yield 1;
    throw new Error('in a stream');
  }

  @WsRoute('sentry', 'refuse')
  refuse(@MessageBody() kind: string) {
    if (kind === 'ws') throw new WsException('refused');
    if (kind === 'http') throw new NotFoundException('refused');
    throw new WsError('NOT_FOUND', 'refused');
  }

  @WsSubscriber({ channels: ['clientJoinedRoom'] })
  joined() {
    throw new Error('of a subscriber');
  }
}

@Controller()
class Page {
  @Get()
  get() {
    throw new Error('of a page');
  }
}

const filter = { provide: APP_FILTER, useClass: SentryGlobalFilter };

describe('@sentry/nestjs', () => {
  const start = startsApps();
  const startRecipe = (platform: Platform) => {
    return start({ platform, module: MonitoredModule, options: false, providers: [Gateway], controllers: [Page] });
  };
  afterEach(() => void captured.splice(0));

  async function flushed(): Promise<string[]> {
    await Sentry.flush(1_000);
    return captured;
  }

  for (const platform of PLATFORMS) {
    describe(platform, () => {
      it('with the recipe an unexpected error of a handler is captured once, of a page too, and the caller gets its answer alone', async () => {
        const { client, origin } = await startRecipe(platform);
        const tester = await client();
        await assert.rejects(tester.request('sentry', 'fail'), { code: 'INTERNAL' });
        assert.deepEqual(await flushed(), ['unexpected']);
        assert.equal((await fetch(origin)).status, 500);
        assert.deepEqual(await flushed(), ['unexpected', 'of a page']);
        assert.deepEqual(tester.pending, []);
      });

      it('with the recipe one of a stream is captured too, and one of a subscriber', async () => {
        const { client } = await startRecipe(platform);
        const tester = await client();
        tester.send({ type: 'sentry', action: 'stream', id: 1 });
        await tester.next('sentry', 'stream');
        const answer = await tester.take(({ id, type }) => id === 1 && type === 'error');
        assert.equal((answer.data as { code: string }).code, 'INTERNAL');
        assert.deepEqual(await flushed(), ['in a stream']);
        await tester.request('sentry', 'join');
        await until(() => captured.length > 1);
        assert.deepEqual(await flushed(), ['in a stream', 'of a subscriber']);
      });

      it('a refusal by `WsException`, `HttpException` or `WsError` is not captured with the recipe', async () => {
        const { client } = await startRecipe(platform);
        const tester = await client();
        for (const kind of ['ws', 'http', 'own']) {
          await assert.rejects(tester.request('sentry', 'refuse', kind), { message: /refused/ });
        }
        assert.deepEqual(await flushed(), []);
      });

      it('`SentryGlobalFilter` as it is captures once and leaves no caller without an answer; but it takes a `WsError` for unexpected, and sends an event `exception` beside the answer', async () => {
        const { client } = await start({ platform, imports: [SentryModule.forRoot()], providers: [filter, Gateway] });
        const tester = await client();
        await assert.rejects(tester.request('sentry', 'fail'), { code: 'INTERNAL' });
        await assert.rejects(tester.request('sentry', 'refuse', 'own'), { code: 'NOT_FOUND' });
        assert.deepEqual(await flushed(), ['unexpected', 'refused']);
        const events = tester.pending.map(({ action, data }) => [action, (data as { message: string }).message]);
        const sent = ['exception', 'Internal server error'];
        assert.deepEqual(events, [sent, sent]);
      });
    });
  }
});
