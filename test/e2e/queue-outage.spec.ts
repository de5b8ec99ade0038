import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocketQueueEvents } from 'nestjs-pxl-websocket';
import { ClusterEvents } from '../../lib/cluster/events/cluster-events.js';
import { isSoak } from '../support/cluster-periods.js';
import { Logbook } from '../support/logbook.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { until } from '../support/until.js';

/** How many ends wait at most. */
const MOST = 10_000;
/** Of how many of them a test hears: 500 are told at once, four times a second. */
const TOLD = isSoak ? MOST : 1_000;

let redis: RedisServer;
/** Between the workers and their Redis; BullMQ goes past it. */
let proxy: TcpProxy;
let logger: Logbook;
/** How many failures the application was told of. */
let failures: number;
let workers: TestApp[];
let prefixes = 0;
let prefix: string;

beforeAll(async () => {
  redis = await RedisServer.start();
});

beforeEach(async () => {
  proxy = await TcpProxy.before(redis.port);
  logger = new Logbook();
  failures = 0;
  workers = [];
  prefix = `outage${++prefixes}`;
});

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await proxy.close();
});

afterAll(() => redis.stop());

/** A worker; resolves with the jobs of whose ends it hears. */
async function start(url: string, providers: TestAppOptions['providers'] = []): Promise<string[]> {
  const events = { onError: () => ++failures };
  const worker = await startApp({ options: { redis: url, prefix, events }, providers, logger });
  workers.push(worker);
  const heard: string[] = [];
  worker.app.get(ClusterEvents).listen(({ channel, message }) => {
    if (channel === 'queueJobCompleted') heard.push((message as { jobId: string }).jobId);
  });
  return heard;
}

/** A worker that is told of the queue of this test. */
function startTeller(url: string): Promise<string[]> {
  return start(url, [WebSocketQueueEvents.forQueue('video', { redis: redis.url, prefix })]);
}

function ended(jobId: string): [string, ...string[]] {
  return ['XADD', `${prefix}:video:events`, '*', 'event', 'completed', 'jobId', jobId, 'returnvalue', '1'];
}

async function end(jobId: string): Promise<void> {
  await redis.command(...ended(jobId));
}

const proxied = (): string => `redis://127.0.0.1:${proxy.port}`;

/** How often it was logged that ends cannot be told. */
function troubles(): number {
  return logger.of('error').filter((line) => line.includes('The queue video cannot tell of the ends of jobs')).length;
}

describe('The end of a job is told once', () => {
  it.each<[how: string, fail: () => void]>([
    ['cannot be reached', () => proxy.blackHole()],
    ['takes what it is asked for, and its answers are lost', () => (proxy.replies = 'hold')],
    [
      'has reset its connections',
      () => {
        proxy.blackHole();
        proxy.reset();
      },
    ],
  ])("though the workers' Redis %s when it comes", async (_how, fail) => {
    const heard = [await startTeller(proxied()), await startTeller(proxied())];
    for (const { app } of workers) await app.get(ClusterEvents).acquire('queueJobCompleted');
    await end('before');
    await until('all have heard of it', () => heard.every((jobs) => jobs.includes('before')));
    const before = troubles();
    fail();
    for (const jobId of ['1', '2', '3']) await end(jobId);
    await until('both have failed to tell it', () => troubles() >= before + 2);
    proxy.heal();
    await until('one tells all', () => heard.some((jobs) => ['1', '2', '3'].every((jobId) => jobs.includes(jobId))));
    await end('after');
    await until('all have heard of it', () => heard.every((jobs) => jobs.includes('after')));
    for (const jobs of heard) expect(new Set(jobs).size).toBe(jobs.length);
  });

  it('to the other workers too, though it could be claimed and not be published', async () => {
    const channels = ['broadcast', 'worker:*', 'probe:*', 'registry', 'users'].map((name) => `&${prefix}:${name}`);
    await redis.command('ACL', 'SETUSER', 'teller', 'on', '>teller', '~*', '+@all', 'resetchannels', ...channels);
    const told = await startTeller(`redis://teller:teller@127.0.0.1:${redis.port}`);
    const heard = await start(redis.url);
    await workers[1]!.app.get(ClusterEvents).acquire('queueJobCompleted');
    await end('1');
    await until('it could not be published', () => troubles() === 1);
    expect(told).toEqual(['1']);
    expect(heard).toEqual([]);
    await redis.command('ACL', 'SETUSER', 'teller', 'allchannels');
    await until('the other worker hears of it', () => heard.length > 0);
    expect(heard).toEqual(['1']);
    expect(told).toEqual(['1']);
  });
});

it(`of more than ${MOST} ends that wait for Redis the last are dropped, which is logged`, async () => {
  const heard = await startTeller(proxied());
  proxy.blackHole();
  proxy.reset();
  await until('Redis is gone', () => logger.of('warn').some((line) => line.startsWith('Redis cannot be reached')));
  const jobIds = Array.from({ length: MOST + 5 }, (_, at) => String(at));
  await redis.commands(jobIds.map(ended));
  await until('it could not tell, and has dropped five', () => failures === 1 + 5);
  proxy.heal();
  await until('the others are told', () => heard.length >= TOLD, 30_000);
  const told = new Set(heard);
  expect(told.size).toBe(isSoak ? MOST : heard.length);
  expect(jobIds.slice(MOST).filter((jobId) => told.has(jobId))).toEqual([]);
  expect(failures).toBe(1 + 5);
  expect(logger.of('error').join()).toContain('did not tell of the end of a job');
}, 60_000);
