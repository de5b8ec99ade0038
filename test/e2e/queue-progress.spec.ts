import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Queue, Worker, type Job } from 'bullmq';
import { forwardQueueEvents, WebSocketQueueEvents, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { ClusterEvents, type ClusterEvent } from '../../lib/cluster/events/cluster-events.js';
import { failureOf } from '../support/failure-of.js';
import { Logbook } from '../support/logbook.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

/** Milliseconds between two messages about one job. */
const INTERVAL = 50;

interface Video {
  userId: string;
}

/** What a client is told of a job. */
interface Told {
  action: string;
  data: { jobId: string; progress?: number };
}

let redis: RedisServer;
let queue: Queue<Video>;
let runner: Worker<Video>;
/** What the job of the test does. */
let work: (job: Job<Video>) => Promise<unknown>;
let workers: TestApp[];
let logger: Logbook;
let tests = 0;

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(() => redis.stop());

beforeEach(() => {
  const options = { connection: { host: '127.0.0.1', port: redis.port }, prefix: `progress${++tests}` };
  queue = new Queue<Video>('video', options);
  runner = new Worker<Video>('video', (job) => work(job), options);
  workers = [];
  logger = new Logbook();
});

afterEach(async () => {
  await runner.close();
  await queue.close();
  await Promise.all(workers.map((worker) => worker.close()));
});

async function start(subscribers: PxlWebSocketModuleOptions['subscribers']): Promise<TestApp> {
  const prefix = `progress${tests}`;
  const worker = await startApp({
    logger,
    options: { redis: redis.url, prefix, auth: { authenticate: urlIdentity }, subscribers },
    providers: [WebSocketQueueEvents.forQueue('video', { prefix, progress: { interval: INTERVAL } })],
  });
  workers.push(worker);
  return worker;
}

/** The next messages of a client, until its job has ended. */
async function story(client: TestClient): Promise<Told[]> {
  const told: Told[] = [];
  do told.push((await client.next()) as Told);
  while (told.at(-1)!.action === 'jobProgress');
  return told;
}

it('of a job that reports a thousand times a client is told a few times, the last report too, and then of its end', async () => {
  const forward = forwardQueueEvents({ progress: true });
  const apps = await Promise.all([start([forward]), start([forward])]);
  const clients = await Promise.all(apps.map((app) => connectAs(app, { userId: 'ada' })));
  for (const action of ['jobCompleted', 'jobError']) {
    let took = 0;
    work = async (job) => {
      const begin = performance.now();
      await Promise.all(Array.from({ length: 1_000 }, (_, at) => job.updateProgress(at + 1)));
      took = performance.now() - begin;
      if (action === 'jobError') throw new Error('no film');
    };
    const { id } = await queue.add('cut', { userId: 'ada' });
    for (const client of clients) {
      const told = await story(client);
      expect(told.at(-1)).toMatchObject({ action, data: { queue: 'video', jobId: id, name: 'cut' } });
      const values = told.slice(0, -1).map(({ data }) => data.progress!);
      expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
      expect(values.at(-1)).toBe(1_000);
      // The first one, one for each interval, and the last one; workers may read the reports later than they were made.
      expect(values.length).toBeLessThan(4 + (3 * took) / INTERVAL);
    }
  }
});

it('what comes of a job after its end is told to nobody, until it runs again', async () => {
  const forward = forwardQueueEvents({ progress: true });
  const apps = await Promise.all([start([forward]), start([forward])]);
  const client = await connectAs(apps[0], { userId: 'ada' });
  for (const [end, action] of [
    ['completed', 'jobCompleted'],
    ['failed', 'jobError'],
  ] as const) {
    work = async (job) => {
      await job.updateProgress(10);
      if (end === 'failed') throw new Error('no film');
    };
    const told = ['jobProgress', action];
    const job = await queue.add('cut', { userId: 'ada' });
    expect((await story(client)).map((one) => one.action)).toEqual(told);
    // As a worker of BullMQ reports that has lost the job to another one.
    await job.updateProgress(99);
    await job.retry(end);
    expect((await story(client)).map((one) => [one.action, one.data.progress])).toEqual([
      ['jobProgress', 10],
      [action, undefined],
    ]);
    // At once after the end, too, which is not told yet.
    const ended = once(runner, end);
    const next = await queue.add('cut', { userId: 'ada' });
    await ended;
    await next.updateProgress(99);
    const last = await queue.add('cut', { userId: 'ada' });
    for (const { id } of [next, last]) {
      const ofJob = await story(client);
      expect(ofJob.map((one) => [one.data.jobId, one.action])).toEqual(told.map((one) => [id, one]));
    }
  }
});

it('when the worker that tells of a queue stops, another one goes on, with the end after the progress', async () => {
  const apps = await Promise.all([start([forwardQueueEvents({ progress: true })]), start([])]);
  const heard: ClusterEvent[][] = [];
  for (const [at, { app }] of apps.entries()) {
    const events: ClusterEvent[] = (heard[at] = []);
    app.get(ClusterEvents).listen((event) => events.push(event));
    for (const channel of ['queueJobProgress', 'queueJobCompleted']) await app.get(ClusterEvents).acquire(channel);
  }
  let isOver = false;
  work = async (job) => {
    for (let progress = 1; !isOver; progress++) {
      await job.updateProgress({ progress });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await queue.add('cut', { userId: 'ada' });
  await until('one tells', () => heard.flat().some(({ isResponsible }) => isResponsible));
  const first = heard.findIndex((events) => events.some(({ isResponsible }) => isResponsible));
  const other = heard[1 - first]!;
  await apps[first]!.close();
  workers = workers.filter((worker) => worker !== apps[first]);
  await until('the other tells', () => other.some(({ isResponsible }) => isResponsible));
  isOver = true;
  await until('it tells the end', () => other.at(-1)!.channel === 'queueJobCompleted');
  const ours = other.filter(({ isResponsible }) => isResponsible);
  expect(ours.filter(({ channel }) => channel === 'queueJobCompleted')).toHaveLength(1);
  const values = other
    .slice(0, -1)
    .map(({ message }) => (message as { progress: { progress: number } }).progress.progress);
  expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
  expect(logger.of('error')).toEqual([]);
});

it('the end of a job that a dead worker was to tell of is told by another one, once', async () => {
  const forward = forwardQueueEvents({ progress: true });
  const apps = await Promise.all([start([forward]), start([forward])]);
  const client = await connectAs(apps[0], { userId: 'ada' });
  // As a worker leaves it that was killed.
  const prefix = `progress${tests}`;
  await redis.command('SET', `${prefix}:queue-event:${prefix}:video:lead`, 'dead', 'PX', 600);
  work = (job) => job.updateProgress(50);
  const { id } = await queue.add('cut', { userId: 'ada' });
  // Where the job comes late its progress is told, too.
  expect((await story(client)).at(-1)).toMatchObject({ action: 'jobCompleted', data: { jobId: id } });
  work = () => Promise.resolve();
  const next = await queue.add('cut', { userId: 'ada' });
  expect(await client.next()).toMatchObject({ action: 'jobCompleted', data: { jobId: next.id } });
  expect(logger.of('error')).toEqual([]);
});

it('progress is told where a subscriber names it, and nowhere else', async () => {
  const prefix = `progress${tests}`;
  const named = { channel: 'queueJobProgress', handle: (): void => undefined };
  const told: string[][] = [];
  for (const [subscribers, options] of [
    [[{ match: '*', handle: named.handle }], {}],
    [[named], {}],
    [[named], { progress: false }],
    [[], { progress: true }],
  ] as const) {
    const events: string[] = [];
    told.push(events);
    const worker = await startApp({
      options: { redis: redis.url, prefix: `${prefix}-${told.length}`, subscribers },
      providers: [WebSocketQueueEvents.forQueue('video', { prefix, ...options })],
    });
    workers.push(worker);
    worker.app.get(ClusterEvents).listen(({ channel }) => events.push(channel));
  }
  work = (job) => job.updateProgress(50);
  await queue.add('cut', { userId: 'ada' });
  await until('all have heard its end', () => told.every((events) => events.includes('queueJobCompleted')));
  const [end, both] = [['queueJobCompleted'], ['queueJobProgress', 'queueJobCompleted']];
  expect(told).toEqual([end, both, end, both]);
});

it.each<[progress: object, sentence: string]>([
  [{ progress: 250 }, '.progress is true, false or { interval }, not 250.'],
  [{ progress: { interval: 0.25 } }, '.progress.interval is a whole number of milliseconds from 10'],
  [{ progress: { pace: 250 } }, '.progress.pace'],
])('with wrong options %j the start fails, naming them', async (options, sentence) => {
  const failure = await failureOf({
    options: { redis: redis.url },
    providers: [WebSocketQueueEvents.forQueue('video', options)],
  });
  expect(failure).toContain(sentence);
});
