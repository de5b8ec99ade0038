import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { Queue, Worker } from 'bullmq';
import { PxlWebSocketModule, WebSocketQueueEvents } from 'nestjs-pxl-websocket';
import { ClusterEvents, type ClusterEvent } from '../../lib/cluster/events/cluster-events.js';
import { ChildProgram } from '../support/child-program.js';
import { eventually } from '../../lib/testing/eventually.js';
import { failureOf } from '../support/failure-of.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

interface Video {
  userId: string;
  length: number;
}

let redis: RedisServer;
let workers: TestApp[];
let queue: Queue<Video, string>;
let runner: Worker<Video, string>;
const heard: ClusterEvent[][] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
  const connection = { host: '127.0.0.1', port: redis.port };
  const start = (): Promise<TestApp> =>
    startApp({ options: { redis: redis.url }, providers: [WebSocketQueueEvents.forQueue('video')] });
  workers = await Promise.all([start(), start(), start()]);
  for (const { app } of workers) {
    const events: ClusterEvent[] = [];
    const cluster = app.get(ClusterEvents);
    cluster.listen((event) => events.push(event));
    await Promise.all([cluster.acquire('queueJobCompleted'), cluster.acquire('queueJobError')]);
    heard.push(events);
  }
  queue = new Queue<Video, string>('video', { connection });
  runner = new Worker<Video, string>(
    'video',
    (job) =>
      job.data.length > 0 ? Promise.resolve(`${job.data.length} s`) : Promise.reject(new Error('It is empty.')),
    { connection },
  );
});

afterAll(async () => {
  await runner.close();
  await queue.close();
  await Promise.all(workers.map((worker) => worker.close()));
  await redis.stop();
});

/** What each worker has heard of a job. */
function heardOf(jobId: string): ClusterEvent[][] {
  return heard.map((events) => events.filter(({ message }) => (message as { jobId: string }).jobId === jobId));
}

describe('WebSocketQueueEvents.forQueue', () => {
  it('tells every worker of a completed job, once', async () => {
    const { id } = await queue.add('cut', { userId: '7', length: 3 });
    await until('all have heard it', () => heardOf(id!).every((events) => events.length > 0));
    const marker = await queue.add('cut', { userId: '7', length: 4 });
    await until('all have heard the next one', () => heardOf(marker.id!).every((events) => events.length > 0));
    const message = { queue: 'video', jobId: id, name: 'cut', data: { userId: '7', length: 3 }, returnValue: '3 s' };
    for (const events of heardOf(id!)) {
      expect(events).toEqual([expect.objectContaining({ channel: 'queueJobCompleted', message })]);
    }
    expect(
      heardOf(id!)
        .flat()
        .filter(({ isResponsible }) => isResponsible),
    ).toHaveLength(1);
  });

  it('tells of a failed job, with its reason', async () => {
    const { id } = await queue.add('cut', { userId: '7', length: 0 });
    await until('all have heard it', () => heardOf(id!).every((events) => events.length > 0));
    const message = { queue: 'video', jobId: id, name: 'cut', failedReason: 'It is empty.' };
    for (const events of heardOf(id!)) {
      expect(events).toEqual([
        expect.objectContaining({ channel: 'queueJobError', message: expect.objectContaining(message) }),
      ]);
    }
  });

  it('tells what the event says of a job that its queue has forgotten', async () => {
    const { id } = await queue.add('cut', { userId: '7', length: 5 }, { removeOnComplete: true });
    await until('all have heard it', () => heardOf(id!).every((events) => events.length > 0));
    expect(heardOf(id!)[0]![0]!.message).toMatchObject({ queue: 'video', jobId: id, returnValue: '5 s' });
  });

  it('tells of what ended while no worker ran, if it is not long ago', async () => {
    const finish = (msAgo: number, jobId: string): Promise<unknown> => {
      const event = ['event', 'completed', 'jobId', jobId, 'returnvalue', '1'];
      return redis.command('XADD', 'bull:mail:events', `${Date.now() - msAgo}-0`, ...event);
    };
    await finish(90_000, 'long ago');
    await finish(10_000, 'just now');
    const worker = await startApp({
      options: { redis: redis.url, prefix: 'late' },
      providers: [WebSocketQueueEvents.forQueue('mail')],
    });
    const events: ClusterEvent[] = [];
    worker.app.get(ClusterEvents).listen((event) => events.push(event));
    await finish(0, 'now');
    await until('all is heard', () => events.some(({ message }) => (message as { jobId: string }).jobId === 'now'));
    expect(events.map(({ message }) => (message as { jobId: string }).jobId)).toEqual(['just now', 'now']);
    await worker.close();
  });

  it("hears a queue beside the application's own key prefix", async () => {
    const worker = await startApp({
      options: { redis: { host: '127.0.0.1', port: redis.port, keyPrefix: 'app:' }, prefix: 'other' },
      providers: [WebSocketQueueEvents.forQueue('video')],
    });
    const events: ClusterEvent[] = [];
    worker.app.get(ClusterEvents).listen((event) => events.push(event));
    const { id } = await queue.add('cut', { userId: '7', length: 6 });
    await until('it is heard', () => events.some(({ message }) => (message as { jobId: string }).jobId === id));
    await worker.close();
  });

  it('tells queues of one name apart by their prefix and their Redis, though their events have the same ids', async () => {
    const other = await RedisServer.start();
    const places: [prefix: string, server: RedisServer, jobId: string][] = [
      ['one', redis, '1'],
      ['one:o', redis, '1'],
      ['other', redis, '1'],
      ['one', other, '2'],
    ];
    const worker = await startApp({
      options: { redis: redis.url, prefix: 'twins' },
      providers: places.map(([prefix, { url }]) => WebSocketQueueEvents.forQueue('twin', { prefix, redis: url })),
    });
    const events: ClusterEvent[] = [];
    worker.app.get(ClusterEvents).listen((event) => events.push(event));
    const id = `${Date.now()}-0`;
    for (const [prefix, server, jobId] of places) {
      const event = ['event', 'completed', 'jobId', jobId, 'returnvalue', JSON.stringify(`${prefix} ${jobId}`)];
      await server.command('XADD', `${prefix}:twin:events`, id, ...event);
    }
    await until('all are heard', () => events.length === places.length);
    const values = events.map(({ message }) => (message as { returnValue: string }).returnValue);
    expect(values.sort()).toEqual(places.map(([prefix, , jobId]) => `${prefix} ${jobId}`).sort());
    await worker.close();
    await other.stop();
  });

  it.each<[how: string, second: () => { prefix?: string; redis?: string }]>([
    ['in the same words', () => ({})],
    ["with BullMQ's own prefix", () => ({ prefix: 'bull' })],
    ["with the module's own Redis", () => ({ redis: redis.url })],
  ])('fails the start where a queue stands twice, %s', async (_how, second) => {
    const failure = await failureOf({
      options: { redis: redis.url },
      providers: [WebSocketQueueEvents.forQueue('video'), WebSocketQueueEvents.forQueue('video', second())],
    });
    expect(failure).toContain("WebSocketQueueEvents.forQueue('video') stands twice");
  });

  it('lets the application stop while Redis is gone', async () => {
    const own = await RedisServer.start();
    const listener = new ChildProgram('queue-listener', own.url);
    await listener.next();
    await eventually('BullMQ is heard', async () => {
      return (await own.command<string>('CLIENT', 'LIST')).includes('cmd=xread');
    });
    await own.kill();
    listener.signal('SIGTERM');
    expect(await listener.exited).toMatchObject({ signal: 'SIGTERM', errors: '' });
    await own.stop();
  });

  it('does nothing where the module is disabled', async () => {
    const worker = await startApp({
      options: { redis: redis.url, enabled: false },
      providers: [WebSocketQueueEvents.forQueue('video')],
    });
    await worker.close();
  });

  it.each<[object, string]>([
    [{ redis: 7 }, "The option WebSocketQueueEvents.forQueue('video').redis is"],
    [{ prefix: 7 }, "The option WebSocketQueueEvents.forQueue('video').prefix is a text, not 7."],
    [
      { prefx: 'a' },
      "There is no option WebSocketQueueEvents.forQueue('video').prefx; did you mean prefix? There are prefix, redis, progress.",
    ],
  ])('with wrong options %j fails the start, naming them', async (options, sentence) => {
    const failure = await failureOf({
      options: { redis: redis.url },
      providers: [WebSocketQueueEvents.forQueue('video', options)],
    });
    expect(failure).toContain(sentence);
  });

  it('fails at start-up where nobody says which Redis it is', async () => {
    const module = await Test.createTestingModule({
      imports: [PxlWebSocketModule.forRoot()],
      providers: [WebSocketQueueEvents.forQueue('video')],
    }).compile();
    await expect(module.init()).rejects.toThrow("WebSocketQueueEvents.forQueue('video') needs the option redis");
  });
});
