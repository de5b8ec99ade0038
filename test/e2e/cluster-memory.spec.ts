import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  WebSocketService,
  WsRateLimit,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WebSocketHealth,
} from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const PATIENCE = 20_000;

@WebSocketGateway()
class Desk {
  @WsRateLimit({ limit: 1_000, ttl: 1_000 })
  @WsRoute('desk', 'ask')
  ask(): string {
    return 'answer';
  }
}

let server: RedisServer;
let app: TestApp;

beforeEach(async () => {
  server = await RedisServer.start();
  const options: PxlWebSocketModuleOptions = {
    redis: server.url,
    cluster: { lease: 500 },
    rooms: { open: true },
    auth: { authenticate: urlIdentity },
    limits: { connectionsPerUser: { max: 1_000, onExceed: 'refuse' } },
  };
  app = await startApp({ options, providers: [Desk] });
  await app.client();
  await healthBecomes('well', ({ status, ready }) => status === 'healthy' && ready);
});

afterEach(async () => {
  await app.close();
  await server.stop();
});

function configure(...settings: string[]): Promise<unknown> {
  return server.command('CONFIG', 'SET', ...settings);
}

async function healthBecomes(what: string, is: (health: WebSocketHealth) => boolean): Promise<void> {
  const read = (): WebSocketHealth => app.app.get(WebSocketService).getWebSocketHealth();
  await eventually(`health is ${what}`, () => is(read()), PATIENCE);
}

function isWell({ status, ready, redis }: WebSocketHealth): boolean {
  return status === 'healthy' && ready && redis.lastError === null;
}

it('health is degraded while Redis evicts our keys, says so, and is well again some time after', async () => {
  const [, used] = /used_memory:(\d+)/.exec(await server.command<string>('INFO', 'memory'))!;
  await configure('maxmemory-policy', 'allkeys-random', 'maxmemory', String(Number(used) + 400_000));
  let count = 0;
  await eventually('health is degraded', async () => {
    // Somebody else fills it: whatever comes has to drive something out.
    await server.command('SET', `other:${count++}`, 'x'.repeat(100_000));
    const { status, redis } = app.app.get(WebSocketService).getWebSocketHealth();
    return status === 'degraded' && redis.lastError?.includes('(maxmemory-policy allkeys-random)') === true;
  });
  await healthBecomes('well again', isWell);
});

it('health is degraded while Redis refuses writes for want of memory, and its error goes with the refusal', async () => {
  await configure('maxmemory-policy', 'noeviction', 'maxmemory', '1');
  await healthBecomes('degraded', ({ status, redis }) => {
    return (
      status === 'degraded' &&
      Boolean(redis.lastError?.startsWith('Redis refuses the registry')) &&
      Boolean(redis.lastError?.includes('OOM'))
    );
  });
  await healthBecomes('not ready, for that reason', ({ ready, reason }) => !ready && reason?.includes('OOM') === true);
  await configure('maxmemory', '0');
  await healthBecomes('well again', isWell);
});

it('the error of a refused subscription goes once it is allowed', async () => {
  await server.command(
    'ACL',
    'SETUSER',
    'default',
    'resetchannels',
    '&pxl:probe:*',
    '&pxl:registry',
    '&pxl:users',
    '&pxl:worker:*',
    '&pxl:broadcast',
  );
  const ada = await app.client();
  await expect(ada.join('chess')).rejects.toThrow();
  await healthBecomes(
    'degraded',
    ({ status, redis }) => status === 'degraded' && Boolean(redis.lastError?.includes('Redis refuses subscriptions')),
  );
  await server.command('ACL', 'SETUSER', 'default', 'allchannels');
  await healthBecomes('well again', isWell);
});

it.each([
  ['to count uses of routes', '-pttl'],
  ['to count connections of users', 'connections'],
  ['to keep the users of the cluster', 'sessions'],
  ['to keep revocations', 'revocations'],
])('the refusal %s is told, and goes once it is over', async (what, refused) => {
  const families = ['leases', '{*}:clients', '{*}:sessions', '{*}:connections', 'rate:*', 'revocations'];
  const allowed = families.filter((family) => !family.endsWith(refused)).map((family) => `~pxl:${family}`);
  await server.command(
    'ACL',
    'SETUSER',
    'default',
    ...(refused.startsWith('-') ? [refused] : ['resetkeys', ...allowed]),
  );
  const use = async (): Promise<void> => {
    const ada = await connectAs(app, { userId: 'ada' });
    expect(await ada.request('desk', 'ask')).toBe('answer');
    // It says by itself where it is refused.
    await app.app
      .get(WebSocketService)
      .revoke({ userId: 'bob' })
      .catch(() => undefined);
  };
  await use();
  await healthBecomes('degraded', ({ status, ready, redis }) => {
    return status === 'degraded' && ready && Boolean(redis.lastError?.startsWith(`Redis refuses ${what}: `));
  });
  await server.command('ACL', 'SETUSER', 'default', 'allkeys', '+@all');
  await use();
  await healthBecomes('well again', isWell);
});
