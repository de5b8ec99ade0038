import { expect, it } from '@jest/globals';
import { Audience } from '../support/audience.js';
import { ChildProgram } from '../support/child-program.js';
import { isSoak, report } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { LoadRecorder } from '../support/load-recorder.js';
import { RedisServer } from '../support/redis-server.js';
import { refused } from '../support/refused.js';
import { TestClient } from '../support/test-client.js';
import { TestCluster } from '../support/test-cluster.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** How long Redis is away after the workers have started, ms. */
const ABSENCE = isSoak ? 60_000 : 500;
const BACK = 5_000;
/** Several workers begin at once, ms. */
const TIMEOUT = 120_000;

const news = { type: 'news', action: 'flash', data: 'hello' };

/** The workers of one test, and their Redis: it is not there yet. */
interface Place {
  readonly redis: RedisServer;
  readonly cluster: TestCluster;
}

/** A test in a place of its own: most that it does is to wait, so that it runs beside others. */
function story(tell: (place: Place) => Promise<void>): () => Promise<void> {
  return async () => {
    const redis = await RedisServer.start();
    await redis.kill();
    const cluster = await TestCluster.start({ workers: 0, redis });
    try {
      await tell({ redis, cluster });
    } finally {
      await cluster.close().finally(() => redis.stop());
    }
  };
}

function statusOf(worker: WorkerProcess): Promise<string> {
  return worker.run(({ service }) => service.getWebSocketHealth().status);
}

function joinChess(worker: WorkerProcess, { clientId }: TestClient): Promise<void> {
  return worker.run(({ service }, id) => service.joinRooms({ clientIds: [id], rooms: ['chess'] }), clientId);
}

function sendToChess(worker: WorkerProcess): Promise<void> {
  return worker.run(({ service }, message) => service.sendToRooms(['chess'], message), news);
}

/** Has a worker tell everybody a number, which is to be refused. */
async function expectRefused(worker: WorkerProcess, number: number): Promise<void> {
  const message = { type: 'load', action: 'send', data: { number, sentAt: Date.now() } };
  const sent = worker.run(({ service }, given) => service.broadcast(given), message);
  await expect(sent).rejects.toThrow(refused('UNAVAILABLE'));
}

it.concurrent(
  'workers that start before Redis stay up, refuse connections and sends, and need no hand once it is there',
  story(async ({ redis, cluster }) => {
    const [one, two, eager] = await Promise.all([
      cluster.add(),
      cluster.add(),
      cluster.add({ options: { cluster: { acceptBeforeReady: true } } }),
    ]);
    const early = await eager.client();
    const recorder = new LoadRecorder(early);
    const sent: { number: number; by: WorkerProcess }[] = [];

    const begin = performance.now();
    await eventually(
      'Redis is still not there',
      async () => {
        for (const worker of [one, two]) {
          await expect(TestClient.open(worker.url())).rejects.toThrow('503');
          await expect(sendToChess(worker)).rejects.toThrow(refused('UNAVAILABLE'));
          expect(await statusOf(worker)).toBe('unhealthy');
        }
        for (const worker of cluster.workers) {
          await expectRefused(worker, sent.length);
          sent.push({ number: sent.length, by: worker });
        }
        return performance.now() - begin > ABSENCE;
      },
      2 * ABSENCE + 1_000,
    );
    expect(await statusOf(eager)).toBe('degraded');
    await expect(joinChess(eager, early)).rejects.toThrow(refused('UNAVAILABLE'));
    expect(await eager.run(({ service }) => service.countClients())).toEqual({ count: 1, partial: true });
    const joined = eager.run(({ service }) => service.joinRooms({ userIds: [7], rooms: ['chess'] }));
    await expect(joined).rejects.toThrow(refused('UNAVAILABLE'));
    const ofItsOwn = sent.filter(({ by }) => by === eager);
    for (const { number } of ofItsOwn) expect(await early.next()).toMatchObject({ data: { number } });

    const there = performance.now();
    await redis.run();
    await cluster.converged(cluster.workers, 2 * BACK);
    report('workers are ready after Redis is there', performance.now() - there, BACK);
    const clients = { early, ada: await one.client(), bob: await two.client() };
    const audience = new Audience(clients);
    for (const [worker, client] of [
      [one, clients.ada],
      [two, clients.bob],
      [eager, early],
    ] as const) {
      await joinChess(worker, client);
    }
    for (const worker of cluster.workers) {
      await sendToChess(worker);
      await audience.expectReached(worker, ['early', 'ada', 'bob'], news);
    }
    // What was refused has come to the sender's own client, and to nobody later.
    expect(recorder.numbers).toEqual(ofItsOwn.map(({ number }) => number));
    for (const { log } of cluster.workers) expect(log.length).toBeLessThan(10);
  }),
  2 * ABSENCE + TIMEOUT,
);

it.concurrent(
  'a connection whose default room cannot be joined yet is told to come back, and takes its place later',
  story(async ({ redis, cluster }) => {
    const options = { rooms: { defaults: ['lobby'] }, cluster: { acceptBeforeReady: true } };
    const worker = await cluster.add({ options });
    const early = await TestClient.open(worker.url());
    expect(await early.closed).toEqual({ code: 1013, reason: 'not available now' });
    await redis.run();
    await cluster.converged(cluster.workers, 2 * BACK);
    const client = await worker.client();
    await eventually('it is in the room', () =>
      worker.run(({ rooms }, id) => rooms.getRoomClients({ roomName: 'lobby' }).includes(id), client.clientId),
    );
  }),
  TIMEOUT,
);

it.concurrent(
  'a worker that Redis does not let into the registry starts all the same, and says that it takes no connections',
  story(async ({ redis, cluster }) => {
    await redis.run();
    await redis.command('ACL', 'SETUSER', 'default', '-@scripting');
    const worker = await cluster.add();
    expect(await statusOf(worker)).toBe('unhealthy');
    await expect(TestClient.open(worker.url())).rejects.toThrow('503');
    expect(worker.log.map(({ line }) => line)).toContainEqual(
      'warn The other workers are not known yet. Until this changes, no connections are taken. PxlWebSocket',
    );
    const refusals = worker.log.filter(({ line }) => line.includes('Redis refuses the registry: NOPERM'));
    expect(refusals).toHaveLength(1);
    const { lastError } = await worker.run(({ service }) => service.getWebSocketHealth().redis);
    expect(lastError).toContain('NOPERM');

    await redis.command('ACL', 'SETUSER', 'default', '+@all');
    await cluster.converged(cluster.workers, 2 * BACK);
    await worker.client();
  }),
  TIMEOUT,
);

it.concurrent(
  'a worker takes no connections before every other one that lives has answered it',
  story(async ({ redis, cluster }) => {
    await redis.run();
    const options = { cluster: { lease: 60_000 } };
    const silent = await cluster.add({ options });
    silent.freeze();
    const worker = await cluster.add({ options });
    expect(await statusOf(worker)).toBe('unhealthy');
    await expect(TestClient.open(worker.url())).rejects.toThrow('503');
    expect(worker.log.map(({ line }) => line)).toContainEqual(
      `warn The other workers are known, but have not all answered (${silent.workerId}). One that ended without closing its application is waited for up to 60000 ms. Until this changes, no connections are taken. PxlWebSocket`,
    );
    silent.thaw();
    await cluster.converged(cluster.workers, 2 * BACK);
    await worker.client();
  }),
  TIMEOUT,
);

it.concurrent(
  'a process that nothing else keeps alive waits for Redis, and ends with its application, also while Redis is away',
  story(async ({ redis }) => {
    const program = new ChildProgram('waiting-worker', redis.url);
    expect(await program.next()).toEqual({ failure: 'UNAVAILABLE' });
    expect(await program.next()).toEqual({ startedWithRedis: false });
    await redis.run();
    expect(await program.next()).toEqual({ connected: true });
    await redis.kill();
    expect(await program.next()).toEqual({ isHeld: false });
    expect(await program.exited).toEqual({ code: 0, signal: null, errors: '' });
  }),
  TIMEOUT,
);
