import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Audience } from '../support/audience.js';
import { eventually } from '../../lib/testing/eventually.js';
import { refused } from '../support/refused.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** What "at once" is, ms: a join that waits for Redis takes as long by itself. */
const AT_ONCE = 1_000;
const BACK = 10_000;

const news = { type: 'news', action: 'flash', data: 'hello' };

let cluster: TestCluster;
/** Has `cluster.joinWhenDegraded`. */
let willing: WorkerProcess;
let strict: WorkerProcess;
/** The first two are of the willing worker. */
let clients: Record<'ada' | 'bob' | 'cleo' | 'dan', TestClient>;

beforeAll(async () => {
  const rooms = { open: true };
  cluster = await TestCluster.start({ workers: 1, options: { rooms, cluster: { joinWhenDegraded: true } } });
  await cluster.add({ options: { rooms } });
  await cluster.converged();
  [willing, strict] = cluster.workers as [WorkerProcess, WorkerProcess];
  const ofTheWilling = { ada: await willing.client(), bob: await willing.client() };
  clients = { ...ofTheWilling, cleo: await strict.client(), dan: await strict.client() };
  await clients.ada.join('tea');
  await clients.cleo.join('tea');
  await cluster.redis.kill();
  for (const worker of cluster.workers) {
    await eventually('it has noticed', () => worker.run(({ service }) => !service.getWebSocketHealth().ready));
  }
});

afterAll(() => cluster.close());

function joinRoom(worker: WorkerProcess, roomName: string, { clientId }: TestClient): Promise<void> {
  return worker.run(({ service }, move) => service.joinRooms(move), { clientIds: [clientId], rooms: [roomName] });
}

function leaveRoom(worker: WorkerProcess, roomName: string, { clientId }: TestClient): Promise<void> {
  return worker.run(({ service }, move) => service.leaveRooms(move), { clientIds: [clientId], rooms: [roomName] });
}

function sendTo(roomName: string, from: WorkerProcess): Promise<void> {
  return from.run(({ service }, given) => service.sendToRooms([given.roomName], given.news), { roomName, news });
}

it('with cluster.joinWhenDegraded, while Redis cannot be reached, joins of rooms that the worker does not hear are granted', async () => {
  const { ada, bob } = clients;
  const begin = performance.now();
  await joinRoom(willing, 'chess', ada);
  await bob.join('go');
  expect(performance.now() - begin).toBeLessThan(AT_ONCE);
  await expect(sendTo('chess', willing)).rejects.toThrow(refused('UNAVAILABLE'));
  expect(await ada.next()).toEqual(news);
  await joinRoom(willing, 'left again', ada);
  await leaveRoom(willing, 'left again', ada);
});

it('without cluster.joinWhenDegraded such joins are refused at once', async () => {
  const { cleo, dan } = clients;
  const begin = performance.now();
  await expect(joinRoom(strict, 'refused', cleo)).rejects.toThrow(refused('UNAVAILABLE'));
  await expect(dan.join('refused too')).rejects.toThrow(/^UNAVAILABLE/);
  // The worker has a member there.
  await dan.join('tea');
  expect(performance.now() - begin).toBeLessThan(AT_ONCE);
  await expect(sendTo('tea', strict)).rejects.toThrow(refused('UNAVAILABLE'));
  for (const client of [cleo, dan]) expect(await client.next()).toEqual(news);
  // The last one that leaves takes the worker's interest with it.
  await leaveRoom(strict, 'tea', cleo);
});

it('once Redis is back, rooms that were joined hear all workers, and no others are heard', async () => {
  await cluster.redis.run();
  await cluster.converged(cluster.workers, BACK);
  const heard = await cluster.redis.command<string[]>('PUBSUB', 'CHANNELS', 'pxl:room:*');
  expect(heard.sort()).toEqual(['pxl:room:chess', 'pxl:room:go', 'pxl:room:tea']);
  const audience = new Audience(clients);
  const members = { chess: ['ada'], go: ['bob'], tea: ['ada', 'dan'], refused: [], 'refused too': [] };
  for (const sender of [willing, strict]) {
    for (const [room, names] of Object.entries(members)) {
      await sendTo(room, sender);
      await audience.expectReached(sender, names, news);
    }
  }
});
