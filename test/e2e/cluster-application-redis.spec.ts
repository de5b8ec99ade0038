import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  InjectWsRedis,
  PXL_WS_REDIS,
  PxlWebSocketClientModule,
  PxlWebSocketModule,
  WebSocketService,
  WsSubscriber,
  type ClientModuleEvents,
  type WsEventOptions,
  type PxlWebSocketModuleOptions,
  type WebSocketSubscriberHandlerContext,
} from 'nestjs-pxl-websocket';
import { ApplicationRedis } from '../../lib/cluster/application-redis.js';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';
import { eventually } from '../../lib/testing/eventually.js';
import { freePort } from '../support/free-port.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';

type Connection = WebSocketSubscriberHandlerContext['redis'];

/** What an application does with the connection. */
@Injectable()
class Orders {
  /** What handlers were given. */
  readonly heard: Connection[] = [];
  @InjectWsRedis() readonly property!: Connection;

  constructor(@InjectWsRedis() readonly redis: Connection) {}

  @WsSubscriber({ channel: 'orders' })
  onOrder({ redis, redisInstance }: WebSocketSubscriberHandlerContext): void {
    this.heard.push(redis, redisInstance);
  }
}

/** Milliseconds within which a command is rejected while Redis is away. */
const LIMIT = 1_200;

let server: RedisServer;
let app: TestApp;
let orders: Orders;

beforeEach(async () => {
  server = await RedisServer.start();
});

afterEach(() => server.stop());

async function start(options: PxlWebSocketModuleOptions): Promise<void> {
  const onMessage: WsEventOptions['onMessage'] = ({ redis, redisInstance }) => orders.heard.push(redis, redisInstance);
  app = await startApp({ options: { ...options, events: { onMessage } }, providers: [Orders] });
  orders = app.app.get(Orders);
}

/** How many connections Redis has; the one that asks is not among them. */
async function connections(): Promise<number> {
  const list = await server.command<string>('CLIENT', 'LIST');
  return list.trim().split('\n').length - 1;
}

/** Fails unless handlers, and events.onMessage, get the connection that is injected. */
async function expectHandlersToGet(connection: Connection): Promise<void> {
  orders.heard.length = 0;
  await app.app.get(WebSocketService).publish('orders', { id: 1 });
  await eventually('the handler has run', () => orders.heard.length > 0);
  const client = await app.client();
  await client.request('system', 'ping');
  await client.close();
  expect(orders.heard).toHaveLength(4);
  for (const heard of orders.heard) expect(heard).toBe(connection);
}

describe('@InjectWsRedis', () => {
  afterEach(() => app.close());

  it('gives the instance of the option redis, which the module never uses, and leaves open', async () => {
    const given = new Redis(server.port, '127.0.0.1', { lazyConnect: true });
    await start({ redis: given });
    expect(orders.redis).toBe(given);
    expect(orders.property).toBe(given);
    await app.app.get(WebSocketService).broadcast({ type: 'news', action: 'flash' });
    await expectHandlersToGet(given);
    expect(given.status).toBe('wait');
    expect(await given.incr('orders')).toBe(1);

    await app.close();
    expect(given.status).toBe('ready');
    expect(await given.incr('orders')).toBe(2);
    given.disconnect();
  });

  it.each<[what: string, redis: (port: number) => PxlWebSocketModuleOptions['redis']]>([
    ['a url', (port) => `redis://127.0.0.1:${port}`],
    ['options of ioredis', (port) => ({ host: '127.0.0.1', port })],
  ])(
    'gives for %s a connection of the same, which opens with its first command and ends with the application',
    async (_, redis) => {
      await start({ redis: redis(server.port) });
      const own = orders.redis!;
      expect(orders.property).toBe(own);
      await expectHandlersToGet(own);
      expect(own.status).toBe('wait');
      expect(await own.incr('orders')).toBe(1);
      expect(own.status).toBe('ready');

      await app.close();
      await eventually('nothing of it is connected', async () => (await connections()) === 0);
      await expect(own.incr('orders')).rejects.toThrow('Connection is closed');
    },
  );

  it('ends with the application where it was never used, too', async () => {
    await start({ redis: server.url });
    await app.close();
    expect(orders.redis!.status).toBe('end');
    await eventually('nothing of it is connected', async () => (await connections()) === 0);
  });

  it.each<[what: string, options: () => PxlWebSocketModuleOptions]>([
    ['has no Redis', () => ({})],
    ['is switched off', () => ({ enabled: false, redis: server.url })],
  ])('gives null where the module %s', async (_, options) => {
    await start(options());
    expect(orders.redis).toBeNull();
  });

  it.each([true, false])(
    'gives it to the events of a client in the same application, too (isGlobal: %p)',
    async (isGlobal) => {
      const other = await startApp({});
      const heard: Connection[] = [];
      const onMessage: ClientModuleEvents['onMessage'] = ({ redis, redisInstance }) => heard.push(redis, redisInstance);
      const imports = [
        PxlWebSocketModule.forRoot({ redis: server.url, isGlobal }),
        PxlWebSocketClientModule.forRoot({ url: other.url(), waitForConnection: 5_000, events: { onMessage } }),
      ];
      app = await startApp({ options: false, imports });
      await other.app.get(WebSocketService).broadcast({ type: 'news', action: 'flash' });
      await eventually('the client has heard it', () => heard.length > 0);
      const own: Connection = app.app.get(PXL_WS_REDIS, { strict: false });
      expect(own).not.toBeNull();
      expect(heard).toEqual([own, own]);
      await other.close();
    },
  );

  it('gives handlers null, too, where there is no Redis', async () => {
    await start({});
    await expectHandlersToGet(null);
  });
});

describe('While Redis is away', () => {
  /** The connection alone: an application takes seconds to start without its Redis. */
  function holderOf(redis: PxlWebSocketModuleOptions['redis']): ApplicationRedis {
    return new ApplicationRedis(resolveOptions({ redis }));
  }

  async function expectRejected(command: Promise<unknown>): Promise<void> {
    const begin = performance.now();
    await expect(command).rejects.toThrow();
    expect(performance.now() - begin).toBeLessThan(2 * LIMIT);
  }

  it('commands on a connection of ours reject in time, and what was rejected is not carried out later', async () => {
    const holder = holderOf(server.url);
    const client = holder.client!;
    // Connections are accepted by the system, and nothing is answered.
    server.freeze();
    await Promise.all([expectRejected(client.incr('orders')), expectRejected(client.incr('orders'))]);
    server.thaw();
    await eventually('it is answered', async () => (await client.incr('visits').catch(() => 0)) > 0);
    expect(await client.get('orders')).toBeNull();
    await server.kill();
    for (let round = 0; round < 3; round++) await expectRejected(client.incr('orders'));
    await server.run();
    await eventually('it is answered again', async () => (await client.incr('visits').catch(() => 0)) > 0);
    expect(await client.get('orders')).toBeNull();
    holder.onApplicationShutdown();
  });

  it('nor is what was rejected while Redis loads its data, for which it waits', async () => {
    // It loads for three seconds, and answers all the while.
    const slowly = ['--key-load-delay', '30000', '--loading-process-events-interval-bytes', '1024'];
    const loading = await RedisServer.start(...slowly, '--rdbcompression', 'no');
    await loading.commands(Array.from({ length: 100 }, (_, at) => ['SET', `key ${at}`, 'x'.repeat(1_000)]));
    await loading.command('BGREWRITEAOF');
    await eventually('its data is in one file', async () =>
      (await loading.command<string>('INFO', 'persistence')).includes('aof_rewrite_in_progress:0'),
    );
    const client = holderOf(loading.url).client!;
    await loading.kill();
    const loaded = loading.run();
    const reasonOf = (error: unknown): string => (error as Error).message;
    await eventually('it loads', async () => (await client.incr('orders').catch(reasonOf)) === 'Command timed out');
    await loaded;
    await eventually('it is answered', async () => (await client.incr('visits').catch(() => 0)) > 0);
    expect(await client.get('orders')).toBeNull();
    client.disconnect();
    await loading.stop();
  });

  it('so do those on a connection of ours to a cluster', async () => {
    const port = await freePort();
    const holder = holderOf({ cluster: [{ host: '127.0.0.1', port }] });
    for (let round = 0; round < 2; round++) await expectRejected(holder.client!.incr('orders'));
    holder.onApplicationShutdown();
  });

  it('a limit of its own is kept, and so is that of an instance', () => {
    const own = holderOf({ port: server.port, commandTimeout: 7_000 }).client!;
    const none = holderOf({ port: server.port, commandTimeout: undefined }).client!;
    const given = holderOf(new Redis(server.port, { lazyConnect: true })).client!;
    const limits = [own, none, given].map(({ options }) =>
      'commandTimeout' in options ? options.commandTimeout : null,
    );
    expect(limits).toEqual([7_000, undefined, null]);
  });
});
