import { afterEach, describe, expect, it } from '@jest/globals';
import { UseGuards } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketClientModule,
  WebSocketClientController,
  WebSocketService,
  WsRateLimit,
  WsRoute,
  type LimitOptions,
  type WsCredentials,
} from 'nestjs-pxl-websocket';
import { Runtime } from '../../lib/runtime/runtime.js';
import { failureOf } from '../support/failure-of.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';

let guarded = 0;

@WebSocketGateway()
class Busy {
  @WsRoute('test', 'echo')
  echo(_client: unknown, data: unknown): unknown {
    return data;
  }

  @WsRateLimit({ limit: 2, ttl: 10_000 })
  @UseGuards({ canActivate: () => ++guarded > 0 })
  @WsRoute('test', 'rare')
  rare(): string {
    return 'done';
  }

  @WsRateLimit({ limit: 2, ttl: 10_000 })
  @WsRoute('test', 'other')
  other(): string {
    return 'done';
  }
}

const apps: TestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

let clock: ManualRuntime;

async function start(limits: LimitOptions = {}): Promise<TestApp> {
  clock = new ManualRuntime();
  guarded = 0;
  const authenticate = ({ request }: WsCredentials): { userId?: string } => ({ userId: request.url.split('?')[1] });
  const app = await startApp({
    providers: [Busy],
    options: { auth: { authenticate }, heartbeat: false, limits },
    override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
  });
  apps.push(app);
  return app;
}

const codesOf = async (client: TestClient, count: number): Promise<string[]> => {
  for (let n = 0; n < count; n++) client.send({ type: 'test', action: 'echo', data: n, id: n });
  const codes: string[] = [];
  for (let n = 0; n < count; n++) {
    const answer = await client.take(({ id }) => id === n);
    codes.push((answer.data as { code?: string } | undefined)?.code ?? 'ok');
  }
  return codes;
};

describe('limits.messagesPerSecond', () => {
  it('answers what is over the burst RATE_LIMITED and tells when to come again', async () => {
    const app = await start({ messagesPerSecond: 2, burst: 3 });
    const client = await app.client();
    expect(await codesOf(client, 5)).toEqual(['ok', 'ok', 'ok', 'RATE_LIMITED', 'RATE_LIMITED']);
    client.send({ type: 'test', action: 'echo', id: 'x' });
    expect(await client.take(({ id }) => id === 'x')).toMatchObject({
      data: { code: 'RATE_LIMITED', retryable: true, details: { retryAfter: 500 } },
    });
    await clock.advance(500);
    expect(await codesOf(client, 1)).toEqual(['ok']);
    expect(app.app.get(WebSocketService).getRefusals()).toEqual({ messagesPerSecond: 3 });
  });

  it('closes who goes on with 4009', async () => {
    const app = await start({ messagesPerSecond: 2, burst: 3 });
    const [flooding, other] = [await app.client(), await app.client()];
    for (let n = 0; n < 20; n++) flooding.send({ type: 'test', action: 'echo', data: n, id: n });
    expect(await flooding.closed).toEqual({ code: 4009, reason: 'rate limit exceeded' });
    expect(flooding.pending.filter(({ type }) => type === 'test')).toHaveLength(3);
    expect(flooding.pending.filter(({ type }) => type === 'error')).toHaveLength(3);
    expect(await other.request('test', 'echo', 1)).toBe(1);
  });

  it('has a burst of twice the rate, and counts frames that are no messages and the library’s own requests', async () => {
    const app = await start({ messagesPerSecond: 2 });
    const client = await app.client();
    client.send('no message');
    client.send({ type: 'system', action: 'ping' });
    client.send({ type: 'system', action: 'pong' });
    expect(await codesOf(client, 2)).toEqual(['ok', 'RATE_LIMITED']);
  });

  it('is off by default', async () => {
    const app = await start();
    expect(new Set(await codesOf(await app.client(), 500))).toEqual(new Set(['ok']));
  });
});

describe('@WsRateLimit', () => {
  it('limits a route for each user, over all connections, before its guards', async () => {
    const app = await start();
    const [one, two, other] = [
      await app.client({ path: '/ws?ada' }),
      await app.client({ path: '/ws?ada' }),
      await app.client({ path: '/ws?bo' }),
    ];
    expect(await one.request('test', 'rare')).toBe('done');
    await clock.advance(4_000);
    expect(await two.request('test', 'rare')).toBe('done');
    expect(await one.call('test', 'rare')).toMatchObject({
      data: { code: 'RATE_LIMITED', retryable: true, details: { retryAfter: 6_000 } },
    });
    expect(guarded).toBe(2);
    expect(await one.request('test', 'other')).toBe('done');
    expect(await other.request('test', 'rare')).toBe('done');
    await clock.advance(6_000);
    expect(await one.request('test', 'rare')).toBe('done');
    expect(app.app.get(WebSocketService).getRefusals()).toEqual({ routes: 1 });
  });

  it('limits each connection of nobody for itself', async () => {
    const app = await start();
    const [one, two] = [await app.client(), await app.client()];
    await one.request('test', 'rare');
    await one.request('test', 'rare');
    await expect(one.request('test', 'rare')).rejects.toThrow('RATE_LIMITED');
    expect(await two.request('test', 'rare')).toBe('done');
  });

  it.each<[string, () => NonNullable<TestAppOptions['providers']>[number]]>([
    [
      'a gateway',
      () => {
        @WebSocketGateway()
        class Desk {
          @WsRoute('test', 'ask')
          ask(): void {}

          @WsRateLimit({ limit: 1, ttl: 1 })
          asked(): void {}
        }
        return Desk;
      },
    ],
    [
      'any other class',
      () => {
        class Desk {
          @WsRateLimit({ limit: 1, ttl: 1 })
          asked(): void {}
        }
        return Desk;
      },
    ],
    [
      'a client controller',
      () => {
        @WebSocketClientController()
        class Desk {
          @WsRateLimit({ limit: 1, ttl: 1 })
          asked(): void {}
        }
        return Desk;
      },
    ],
  ])('on a method of %s without a route fails the start', async (_where, host) => {
    const imports = [PxlWebSocketClientModule.forRoot({ url: 'ws://127.0.0.1:9/ws' })];
    const failure = await failureOf({ imports, providers: [host()] });
    expect(failure).toBe('@WsRateLimit(...) has no effect on Desk.asked: the method has no route.');
  });

  it('takes whole numbers from 1', () => {
    expect(() => WsRateLimit({ limit: 0, ttl: 1 })).toThrow('limit is a whole number from 1');
    expect(() => WsRateLimit({ limit: 1, ttl: 0.5 })).toThrow('ttl is a whole number from 1');
  });
});
