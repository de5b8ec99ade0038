import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { isSoak, LEASE, report } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { TestCluster, type ClusterNode } from '../support/test-cluster.js';
import type { WsTestClose } from 'nestjs-pxl-websocket/testing';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** Told of in several steps. */
const CLIENTS = isSoak ? 2_000 : 300;
/** Of the worker that ends while Redis is away: nobody else is told. */
const FEWER = isSoak ? 2_000 : 100;
const SPREAD = 5_000;
/** Those that do not read when to come back: at fifty per second. */
const RAW = 100;
const READS_REASONS = ['pxl.v1', 'pxl.refusals'];
/** What we promise, ms. */
const EXIT = 12_000;

let cluster: TestCluster;
let other: WorkerProcess;
/** Each ends in one test. */
let [first, second]: ClusterNode[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start({ workers: 3 });
  [other] = cluster.workers as [WorkerProcess];
  [, first, second] = cluster.nodes;
});

afterAll(() => cluster.close());

/** Clients of a worker, in a room, that the other one knows. */
async function populate(worker: WorkerProcess, size: number): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  while (clients.length < size) {
    const batch = Array.from({ length: 50 }, (_, at) =>
      worker.client({ userId: String(clients.length + at) }, READS_REASONS),
    );
    clients.push(...(await Promise.all(batch)));
  }
  // Not by their users, whom the other workers would have to look for in time.
  const ids = clients.map(({ clientId }) => clientId);
  await worker.run(({ service }, clientIds) => service.joinRooms({ clientIds, rooms: ['chess'] }), ids);
  await eventually('the other worker knows all clients', async () => (await knownTo(other)) === size);
  return clients;
}

function knownTo(worker: WorkerProcess): Promise<number> {
  return worker.run(({ clients }) => clients.getClients().length);
}

/** Fails unless every client was told to come back after a time of its own. */
function expectSpread(ends: readonly WsTestClose[]): void {
  expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([1012]));
  const delays = ends.map(({ reason }) => (JSON.parse(reason) as { after: number }).after);
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...delays)).toBeLessThan(SPREAD);
  // Half of them in either half, more or less.
  const late = delays.filter((after) => after >= SPREAD / 2).length;
  expect(Math.abs(late - ends.length / 2)).toBeLessThan(ends.length / 4);
}

it(`a worker that is asked to end lets its handlers finish and sends ${CLIENTS} clients away, and ${RAW} that read no reasons one by one; the others miss them at once`, async () => {
  const stopping = first!;
  const clients = await populate(stopping.worker, CLIENTS);
  const [busy] = clients as [TestClient];
  const raw = await Promise.all(Array.from({ length: RAW }, () => stopping.worker.client()));
  const rawEnds = Promise.all(raw.map(async ({ closed }) => ({ ...(await closed), at: performance.now() })));
  busy.send({ type: 'test', action: 'hold', id: 'held' });
  await busy.request('system', 'ping');
  stopping.proxy.replies = 20;
  const exit = stopping.worker.stop();
  await Promise.race(raw.map(({ closed }) => closed));
  // Who waits for its turn hears the other workers.
  const waiting = raw.filter(({ socket }) => socket.readyState === 1).at(-1)!;
  await other.run(({ service }) => service.broadcast({ type: 'news', action: 'flash' }));
  await waiting.next('news', 'flash');
  const ended = await rawEnds;
  const gone = eventually('the other worker has let all clients go', async () => (await knownTo(other)) === 0);
  report('the other worker has let all clients go', await gone, 1_000);
  for (const { code, reason } of ended) expect([code, reason]).toEqual([1012, '{"after":0}']);
  const times = ended.map(({ at }) => at).sort((one, two) => one - two);
  // At fifty per second, all and half of them: on a busy machine some are seen together.
  expect(times.at(-1)! - times[0]!).toBeGreaterThan(10 * RAW);
  expect(times[RAW / 2]! - times[0]!).toBeGreaterThan(2.5 * RAW);
  // It leaves the registry first: the handler still runs.
  expect(busy.socket.readyState).toBe(1);
  await stopping.worker.run(({ gate }) => gate.open());
  expect(await busy.next('test', 'hold')).toMatchObject({ id: 'held', response: 'held' });
  expectSpread(await Promise.all(clients.map(({ closed }) => closed)));
  report('it ends', await exit, EXIT);
  expect(await exit).toBeLessThan(2 * EXIT);
  expect(await stopping.worker.exited).toBe('SIGTERM');

  const ends = other.events.filter(({ channel }) => channel === 'clientDisconnected');
  expect(ends).toHaveLength(CLIENTS + RAW);
  expect(new Set(ends.map(({ message }) => message.clientId)).size).toBe(CLIENTS + RAW);
  for (const { message, isResponsible } of ends) {
    expect(message).toMatchObject({ workerId: stopping.worker.workerId, code: 1012 });
    expect(isResponsible).toBe(false);
  }
  await cluster.converged([other, second!.worker]);
  const keys = (): Promise<string[]> => cluster.redis.command('KEYS', `*${stopping.worker.workerId}*`);
  await eventually('nothing of it is left', async () => (await keys()).length === 0);
}, 120_000);

it(`a worker that is asked to end while Redis is away sends ${FEWER} clients away all the same, and ends in time`, async () => {
  const stopping = second!;
  const clients = await populate(stopping.worker, FEWER);
  stopping.proxy.blackHole();
  const exit = stopping.worker.stop();
  expectSpread(await Promise.all(clients.map(({ closed }) => closed)));
  report('it ends while Redis is away', await exit, EXIT);
  expect(await exit).toBeLessThan(2 * EXIT);
}, 120_000);

it('a fleet that ends tells everybody 1012 as long as another worker lives, and then 1001', async () => {
  // It knows no clients of others, and the others all the same.
  const blind = await cluster.add({ options: { cluster: { mirror: false } } });
  // The one that ended without Redis counts until its lease is over.
  await cluster.converged([other, blind], 30 * LEASE);
  const idle = await blind.client();
  const busy = await blind.client();
  busy.send({ type: 'test', action: 'hold', id: 'held' });
  await busy.request('system', 'ping');
  const exit = blind.stop();
  expect((await idle.closed).code).toBe(1012);
  await eventually('it has left', () => other.run(({ service }) => service.getWebSocketHealth().cluster.workers === 1));
  const last = await other.client();
  const lastExit = other.stop();
  expect(await last.closed).toEqual({ code: 1001, reason: 'server is shutting down' });
  await lastExit;
  await blind.run(({ gate }) => gate.open());
  expect(await busy.closed).toEqual({ code: 1001, reason: 'server is shutting down' });
  await exit;
}, 120_000);
