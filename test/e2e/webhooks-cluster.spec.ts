import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocketService, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { ChildProgram } from '../support/child-program.js';
import { failureOf } from '../support/failure-of.js';
import { Logbook } from '../support/logbook.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';
import { isOnWorkers } from '../support/user-workers.js';
import { WebhookTarget } from '../support/webhook-target.js';
import { WorkerProcess } from '../support/worker-process.js';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

/** Of the process that is killed, and of who goes on. */
const CRASH = { queue: { name: 'crash' }, timeout: 200, backoff: 100, concurrency: 1 };

let redis: RedisServer;
/** Answers nothing until the process has died that sends to it. */
let slow: WebhookTarget;
let first: WorkerProcess;
let target: WebhookTarget;
let logger: Logbook;
let apps: TestApp[];
let tests = 0;

beforeAll(async () => {
  redis = await RedisServer.start();
  slow = await WebhookTarget.start();
  slow.answer = () => undefined;
  // Not awaited: it starts beside the first tests.
  const webhooks = { ...CRASH, endpoints: [endpointOf(slow)] };
  first = new WorkerProcess({ redis: redis.url, prefix: 'crash', webhooks });
});

beforeEach(async () => {
  target = await WebhookTarget.start();
  logger = new Logbook();
  apps = [];
  tests++;
});

afterEach(async () => {
  await Promise.all(apps.map((worker) => worker.close()));
  await target.stop();
});

afterAll(async () => {
  await first.close();
  await slow.stop();
  await redis.stop();
});

function endpointOf({ url }: WebhookTarget): NonNullable<PxlWebSocketModuleOptions['webhooks']>['endpoints'][number] {
  return { url, name: 'billing', events: ['userConnected', 'userDisconnected'], secret: SECRET };
}

function optionsOf(webhooks: Partial<PxlWebSocketModuleOptions['webhooks']>): PxlWebSocketModuleOptions {
  return { redis: redis.url, prefix: `hooks${tests}`, webhooks: { endpoints: [endpointOf(target)], ...webhooks } };
}

async function start(
  webhooks: Partial<PxlWebSocketModuleOptions['webhooks']>,
  more: PxlWebSocketModuleOptions = {},
): Promise<TestApp> {
  const options = { auth: { authenticate: urlIdentity }, ...optionsOf(webhooks), ...more };
  const app = await startApp({ logger, options });
  apps.push(app);
  return app;
}

function idOf(userId: string): string {
  return String(target.requests.find(({ data }) => data.userId === userId)!.headers['webhook-id']);
}

/** A number of all workers together. */
function sumOf(name: string): number {
  const metrics = apps.flatMap(({ app }) => app.get(WebSocketService).getMetrics());
  const fitting = metrics.filter((metric) => metric.name === `pxl_ws_webhooks_${name}`);
  return fitting.reduce((sum, { value }) => sum + value, 0);
}

describe.each<[where: string, queue: boolean]>([
  ['in memory', false],
  ['in BullMQ', true],
])('Of two workers, with webhooks that wait %s,', (_where, queue) => {
  it('one tells of each event', async () => {
    const workers = await Promise.all([start({ queue }), start({ queue })]);
    const ids = Array.from({ length: 8 }, (_, at) => String(at));
    const clients = await Promise.all(ids.map((userId, at) => connectAs(workers[at % 2]!, { userId })));
    const again = await Promise.all(ids.map((userId, at) => connectAs(workers[(at + 1) % 2]!, { userId })));
    await target.has(8);
    for (const userId of ids) await isOnWorkers(redis, userId, 2, `hooks${tests}`);
    await Promise.all([...clients, ...again].map((client) => client.close()));
    await target.has(16);
    await until('all are counted', () => sumOf('delivered_total') === 16);
    expect(new Set(target.ids).size).toBe(16);
    expect(target.told.sort()).toEqual(
      ids.flatMap((userId) => [`userConnected ${userId}`, `userDisconnected ${userId}`]).sort(),
    );
  });
});

it('A worker that stops tells of its last users', async () => {
  const app = await start({});
  const ids = Array.from({ length: 8 }, (_, at) => String(at));
  await Promise.all(ids.map((userId) => connectAs(app, { userId })));
  await target.has(8);
  await app.close();
  apps = [];
  expect(target.told.slice(8).sort()).toEqual(ids.map((userId) => `userDisconnected ${userId}`));
});

describe('With BullMQ', () => {
  it('a process that is killed loses neither what waits nor what it was sending: another worker sends it', async () => {
    await first.started;
    await Promise.all(['1', '2', '3'].map((userId) => first.client({ userId })));
    await slow.has(1);
    await eventually('all are in Redis', async () => {
      const key = `bull:${CRASH.queue.name}-billing`;
      const [waiting, sent, failed] = await Promise.all([
        redis.command<number>('LLEN', `${key}:wait`),
        redis.command<number>('LLEN', `${key}:active`),
        redis.command<number>('ZCARD', `${key}:delayed`),
      ]);
      return waiting + sent + failed === 3;
    });
    await first.kill();
    const before = slow.requests.length;
    slow.takes();
    await start({ ...CRASH, endpoints: [endpointOf(slow)] });
    const told = (): string[] => slow.told.slice(before).filter((one) => one.startsWith('userConnected'));
    await until('the other tells all', () => new Set(told()).size === 3);
    expect(slow.ids.slice(before)).toContain(slow.ids[0]);
  });

  it('what fails is sent again, by whichever worker, and given up after the last attempt', async () => {
    const webhooks = { queue: true, attempts: 3, backoff: 100 };
    await Promise.all([start(webhooks), start(webhooks)]);
    target.answer = (response, { data }) => response.writeHead(data.userId === 'bad' ? 500 : 200).end();
    await connectAs(apps[0]!, { userId: 'bad' });
    await connectAs(apps[1]!, { userId: 'good' });
    await until('both have their end', () => sumOf('dropped_total') === 1 && sumOf('delivered_total') === 1);
    expect(target.told.sort()).toEqual([...Array<string>(3).fill('userConnected bad'), 'userConnected good']);
    expect([sumOf('failed_total'), sumOf('delivered_total')]).toEqual([3, 1]);
    expect(logger.of('error')).toEqual([
      expect.stringMatching(/^A webhook to billing was given up \(userConnected, msg_.{24}\)\. It answered 500\.$/),
    ]);
    await eventually('it is kept', async () => {
      return (await redis.command<number>('ZCARD', `bull:hooks${tests}-webhooks-billing:failed`)) === 1;
    });
    const job = (await redis.command<string[]>('HGETALL', `bull:hooks${tests}-webhooks-billing:${idOf('bad')}`)).join();
    expect(job).toContain('userConnected');
    expect(job).not.toContain(SECRET.slice('whsec_'.length));
    expect(job).not.toContain(target.url);
  });

  it('what waits for who is gone is not sent', async () => {
    target.refuses(410);
    await start({ queue: true, concurrency: 1 });
    for (const userId of ['1', '2', '3']) await connectAs(apps[0]!, { userId });
    await until('all are dropped', () => sumOf('dropped_total') === 3);
    expect(target.requests).toHaveLength(1);
  });

  it('what its Redis refuses is reported, and waits', async () => {
    const own = await RedisServer.start();
    await own.command('ACL', 'SETUSER', 'hooks', 'on', '>hooks', '~*', '&*', '+@all', '-eval', '-evalsha');
    await start({ queue: { redis: `redis://hooks:hooks@127.0.0.1:${own.port}` } });
    await connectAs(apps[0]!, { userId: 'ada' });
    await until('it is reported', () => logger.of('error').length > 0);
    expect(logger.of('error')[0]).toMatch(/^The queue of webhooks cannot be used\. /);
    await until('the event waits', () => sumOf('pending') === 1);
    await own.command('ACL', 'SETUSER', 'hooks', '+@all');
    await target.has(1);
    await Promise.all(apps.splice(0).map((app) => app.close()));
    await own.stop();
  });

  it('events wait in memory while its Redis is away, the oldest of too many are dropped', async () => {
    const proxy = await TcpProxy.before(redis.port);
    const queue = { redis: `redis://127.0.0.1:${proxy.port}`, name: `away${tests}` };
    const app = await start({ queue, limit: 2 });
    await connectAs(app, { userId: '0' });
    await until('the first is done with', () => sumOf('delivered_total') === 1 && sumOf('pending') === 0);
    proxy.blackHole();
    proxy.reset();
    for (const userId of ['1', '2']) await connectAs(app, { userId });
    await until('both wait', () => sumOf('pending') === 2);
    proxy.heal();
    await target.has(3);
    expect(target.told.sort()).toEqual(['0', '1', '2'].map((userId) => `userConnected ${userId}`));
    await app.close();
    apps = [];
    await proxy.close();
  });

  it('an application stops while its Redis is gone', async () => {
    const own = await RedisServer.start();
    const app = await start({ queue: { redis: own.url } }, { shutdown: { timeout: 200 } });
    await connectAs(app, { userId: 'ada' });
    await target.has(1);
    await own.kill();
    const begin = performance.now();
    await app.close();
    apps = [];
    expect(performance.now() - begin).toBeLessThan(6_000);
    expect(logger.of('warn').join()).toContain('events had not reached billing');
    await own.stop();
  });
});

it('A process whose Redis is gone ends by itself once its application is closed', async () => {
  const own = await RedisServer.start();
  const program = new ChildProgram('webhook-queue', target.url, own.url);
  const { url } = await program.next<{ url: string }>();
  const client = await TestClient.connect(`${url.replace('http', 'ws')}/ws`);
  await target.has(1);
  await own.kill();
  program.signal('SIGTERM');
  await program.next();
  const begin = performance.now();
  expect(await program.exited).toEqual({ code: 0, signal: null, errors: '' });
  // BullMQ's own timers would hold it for half a minute.
  expect(performance.now() - begin).toBeLessThan(10_000);
  await client.closed;
  await own.stop();
});

it('webhooks.queue without any Redis fails the start', async () => {
  const webhooks = { ...optionsOf({}).webhooks!, queue: true };
  expect(await failureOf({ options: { webhooks } })).toContain('webhooks.queue needs a redis');
});
