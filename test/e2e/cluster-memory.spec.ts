import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { WebSocketService, type WebSocketHealth } from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';

const PATIENCE = 10_000;

let server: RedisServer;
let app: TestApp;

beforeEach(async () => {
  server = await RedisServer.start();
  app = await startApp({ options: { redis: server.url, cluster: { lease: 500 }, rooms: { open: true } } });
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
