import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { UseGuards } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketClientModule,
  WebSocketClientController,
  WebSocketService,
  WsRateLimit,
  WsRoute,
  type WsLimitOptions,
  type WsCredentials,
  type WsIdentity,
} from 'nestjs-pxl-websocket';
import { Redis } from 'ioredis';
import { Runtime } from '../../lib/runtime/runtime.js';
import { eventually } from '../../lib/testing/eventually.js';
import { failureOf } from '../support/failure-of.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { identityOf } from '../support/url-identity.js';

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

async function start(limits: WsLimitOptions = {}): Promise<TestApp> {
  clock = new ManualRuntime();
  guarded = 0;
  const authenticate = ({ request }: WsCredentials): WsIdentity => identityOf(request.url.split('?')[1]);
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

  it('counts refused binary frames', async () => {
    const app = await start({ messagesPerSecond: 2 });
    const client = await app.client();
    for (let n = 0; n < 3; n++) client.socket.send(Buffer.from('{}'));
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

describe('@WsRateLimit in a cluster', () => {
  const TTL = 4_000;

  @WebSocketGateway()
  class Counted {
    @WsRateLimit({ limit: 5, ttl: TTL })
    @WsRoute('test', 'counted')
    counted(): string {
      return 'done';
    }

    @WsRateLimit({ limit: 5, ttl: 60_000 })
    @WsRoute('test', 'lasting')
    lasting(): string {
      return 'done';
    }
  }

  let redis: RedisServer;
  let monitor: Redis;
  let workers: TestApp[];
  /** What Redis was asked about rates, as it stands in its monitor. */
  let asked: string[];

  beforeAll(async () => {
    redis = await RedisServer.start();
    const authenticate = ({ request }: WsCredentials): WsIdentity => {
      return identityOf(decodeURIComponent(request.url.split('?')[1] ?? '') || null);
    };
    const options = { redis: redis.url, auth: { authenticate } };
    workers = await Promise.all([1, 2].map(() => startApp({ providers: [Counted], options })));
    await watch();
  });

  afterAll(async () => {
    // Once more, ioredis would start a timer that nobody stops.
    if (monitor.status !== 'end') monitor.disconnect();
    await Promise.all(workers.map((worker) => worker.close()));
    await redis.stop();
  });

  async function watch(): Promise<void> {
    asked = [];
    const connection = new Redis(redis.port, '127.0.0.1');
    monitor = await connection.monitor();
    connection.disconnect();
    monitor.on('error', () => undefined);
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (source !== 'lua' && args.some((arg) => arg.startsWith('pxl:rate:'))) asked.push(args.join(' '));
    });
  }

  /** Uses a route so often at once from each of the clients; how many uses were let through. */
  async function use(clients: TestClient[], times: number, route = 'lasting'): Promise<number> {
    const calls = clients.flatMap((client) => Array.from({ length: times }, () => client.call('test', route)));
    const answers = await Promise.all(calls);
    for (const { data, response } of answers as { data?: unknown; response?: unknown }[]) {
      if (response !== 'done') expect(data).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    }
    return answers.filter(({ response }) => response === 'done').length;
  }

  const clientsOf = (user: string): Promise<TestClient[]> =>
    Promise.all(workers.map((worker) => worker.client({ path: `/ws?${encodeURIComponent(user)}` })));

  it('counts the uses of a user on all workers together, each by one call of Redis, until the window is full', async () => {
    const clients = await clientsOf('{ada} %');
    asked.length = 0;
    const begin = performance.now();
    expect(await use(clients, 5, 'counted')).toBe(5);
    await eventually('the monitor has seen all', () => asked.length >= 7);
    expect(asked.length).toBeLessThanOrEqual(10);
    expect(new Set(asked.map((line) => line.split(' pxl:rate:')[1]))).toEqual(
      new Set([`Counted.counted user %7Bada%7D %25 5 ${TTL}`]),
    );
    // Both know by now that it is full, and for how long.
    asked.length = 0;
    expect(await use(clients, 3, 'counted')).toBe(0);
    const { data } = await clients[0]!.call('test', 'counted');
    const { retryAfter } = (data as { details: { retryAfter: number } }).details;
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(TTL);
    expect(asked).toEqual([]);
    await eventually('the window is over', async () => (await use(clients.slice(1), 1, 'counted')) === 1);
    expect(performance.now() - begin).toBeGreaterThan(TTL * 0.95);
    expect(await use(clients, 5, 'counted')).toBe(4);
  });

  it('counts users apart, asks Redis about nobody and about no message that is none', async () => {
    const [ada, bo] = [await clientsOf('ada'), await clientsOf('bo')];
    expect(await Promise.all([use(ada, 6), use(bo, 6)])).toEqual([5, 5]);
    const nobodies = await clientsOf('');
    asked.length = 0;
    expect(await use(nobodies, 6)).toBe(10);
    for (const client of await clientsOf('eve')) {
      for (const bad of ['no message', '{"type":"test"}', '{"type":"test","action":"unknown"}']) {
        client.send(bad);
        await client.next();
      }
    }
    expect(await use(ada, 1)).toBe(0);
    await redis.command('PING', 'pxl:rate:end');
    await eventually('the monitor has seen the end', () => asked.some((line) => line.endsWith('end')));
    expect(asked).toHaveLength(1);
  });

  it('goes on by each worker alone while Redis is away, with what it has counted before, and together afterwards', async () => {
    const clients = await clientsOf('eve');
    expect(await use(clients.slice(0, 1), 2)).toBe(2);
    monitor.disconnect();
    await redis.kill();
    expect(await use(clients, 6)).toBe(3 + 5);
    await redis.run();
    await eventually('all is well', () => {
      return workers.every(({ app }) => app.get(WebSocketService).getWebSocketHealth().ready);
    });
    expect(await use(await clientsOf('bob'), 5)).toBe(5);
    const alone = workers.map(({ app }) => {
      return app
        .get(WebSocketService)
        .getMetrics()
        .find(({ name }) => name === 'pxl_ws_rate_uses_alone_total')!.value;
    });
    expect(alone).toEqual([6, 6]);
  });
});
