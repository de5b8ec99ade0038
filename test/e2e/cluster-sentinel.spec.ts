import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { WebSocketService, type WsRedisOption } from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { LEASE, PROBE } from '../support/cluster-periods.js';
import { Logbook } from '../support/logbook.js';
import { RedisSentinel } from '../support/redis-sentinel.js';
import { startApp, type TestApp } from '../support/test-app.js';

let sentinel: RedisSentinel;
let log: Logbook;
const apps: TestApp[] = [];

beforeAll(async () => {
  // On a busy machine it must not begin a failover of its own.
  sentinel = await RedisSentinel.start(30_000);
});

beforeEach(() => {
  log = new Logbook();
});

afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));

afterAll(() => sentinel.stop());

async function start(redis: WsRedisOption = named()): Promise<TestApp> {
  const options = { redis, rooms: { open: true }, cluster: { lease: LEASE, probe: PROBE } };
  const app = await startApp({ options, logger: log });
  apps.push(app);
  return app;
}

/** The option as docs/scaling.md shows it. */
function named(): Extract<WsRedisOption, { sentinels?: unknown }> {
  return { sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'main' };
}

function isReady({ app }: TestApp): boolean {
  return app.get(WebSocketService).getWebSocketHealth().ready;
}

it('connections that end leave no watch at the Sentinel behind', async () => {
  const one = await start();
  // One of each connection, and that of who asks.
  const areTwo = async (): Promise<boolean> => (await sentinel.connections()) === 2 + 1;
  await eventually('both connections have theirs', areTwo);
  for (let round = 0; round < 4; round++) {
    await sentinel.master.command('CLIENT', 'KILL', 'TYPE', round % 2 ? 'normal' : 'pubsub');
    await eventually('the loss is noticed', () => !isReady(one));
    await eventually('the worker is ready again', () => isReady(one), 20_000);
  }
  await eventually('there are no more than before', areTwo);
});

it('a failoverDetector that was switched off, and an instance, are left alone, and the log says so', async () => {
  const said = (): string[] => log.of('warn').filter((line) => line.includes('failoverDetector is off'));
  await start();
  expect(said()).toEqual([]);
  await start({ ...named(), failoverDetector: false });
  expect(said()).toHaveLength(1);
  const instance = new Redis({ ...named(), lazyConnect: true });
  await start(instance);
  expect(said()).toHaveLength(2);
  instance.disconnect();
  await eventually('the first one alone has them', async () => (await sentinel.connections()) === 2 + 1);
});

// The last one: the master is another one after it.
it('workers leave the old master at a failover, and one that starts then is ready once it hears them', async () => {
  const one = await start();
  const ada = await one.client();
  await ada.join('chess');
  await sentinel.failover();
  const two = await start();
  await eventually('both workers are ready', () => isReady(one) && isReady(two), 20_000);
  const bob = await two.client();
  await bob.join('chess');
  for (const app of apps) {
    const news = { type: 'news', action: 'flash' };
    await app.app.get(WebSocketService).sendToRooms(['chess'], news);
    for (const client of [ada, bob]) expect(await client.next()).toEqual(news);
  }
});
