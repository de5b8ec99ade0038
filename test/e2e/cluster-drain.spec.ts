import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { isSoak, LEASE, report } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { persistently } from '../support/persistently.js';
import { TestCluster, type ClusterNode } from '../support/test-cluster.js';
import { until } from '../support/until.js';
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
/** Without a proxy, which stands still whenever the test does: of what it misses then it cannot know how it ended. */
let other: WorkerProcess;
/** Each ends in one test. */
let [first, second]: ClusterNode[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start({ workers: 0 });
  const direct = { redis: cluster.redis.url };
  [, , other] = await Promise.all([cluster.add(), cluster.add(), cluster.add({ options: direct })]);
  [first, second] = cluster.nodes;
  await cluster.converged();
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
  await enter(worker, clients, 'chess');
  await eventually('the other worker knows all clients', async () => (await knownTo(other)) === size);
  return clients;
}

async function enter(worker: WorkerProcess, clients: readonly TestClient[], room: string): Promise<void> {
  // Not by their users, whom the other workers would have to look for in time.
  const joins = { clientIds: clients.map(({ clientId }) => clientId), rooms: [room] };
  await persistently('they have joined', () => worker.run(({ service }, given) => service.joinRooms(given), joins));
}

function knownTo(worker: WorkerProcess): Promise<number> {
  return worker.run(({ clients }) => clients.getClients().length);
}

/** A worker tells those in line what time it is there, once it knows all of them, until it knows nobody. @returns whether it does */
function tellTime(worker: WorkerProcess, isTheirs: boolean): Promise<boolean> {
  return worker.run(
    ({ service, server, rooms }, { all, type }) => {
      const waiting = (): number => rooms.getRoomClients({ roomName: 'line' }).length;
      if (waiting() < all) return false;
      const timer = setInterval(() => {
        if (waiting() === 0) clearInterval(timer);
        const data = { type, action: 'is', data: performance.now() };
        if (type === 'here') server.local.broadcastToRoom({ roomName: 'line', data });
        else void service.sendToRooms(['line'], data).catch(() => undefined);
      }, 20);
      return true;
    },
    { all: RAW, type: isTheirs ? 'here' : 'there' },
  );
}

/** When a client was told the time for the last time. */
function lastTime({ pending }: TestClient, type: 'here' | 'there'): number {
  return pending.findLast((message) => message.type === type)!.data as number;
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
  busy.send({ type: 'test', action: 'hold', id: 'held' });
  await busy.request('system', 'ping');
  // By what its own worker told a client last it is seen when its turn came, however late the test reads it.
  await enter(stopping.worker, raw, 'line');
  await tellTime(stopping.worker, true);
  await eventually('the other worker knows who waits', () => tellTime(other, false));
  await until('each hears both', () => raw.every(({ pending }) => new Set(pending.map(({ type }) => type)).size === 2));
  stopping.proxy.replies = 20;
  const exit = stopping.worker.stop();
  const ended = await Promise.all(raw.map(({ closed }) => closed));
  const gone = eventually('the other worker has let all clients go', async () => (await knownTo(other)) === 0);
  report('the other worker has let all clients go', await gone, 1_000);
  for (const { code, reason } of ended) expect([code, reason]).toEqual([1012, '{"after":0}']);
  const inOrder = [...raw].sort((one, two) => lastTime(one, 'here') - lastTime(two, 'here'));
  const times = inOrder.map((client) => lastTime(client, 'here'));
  // At fifty per second, all and half of them: on a busy machine some leave together.
  expect(times.at(-1)! - times[0]!).toBeGreaterThan(10 * RAW);
  expect(times[RAW / 2]! - times[0]!).toBeGreaterThan(2.5 * RAW);
  // Who waits for its turn hears the other workers.
  expect(lastTime(inOrder.at(-1)!, 'there')).toBeGreaterThan(lastTime(inOrder[0]!, 'there'));
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
  const blind = await cluster.add({ options: { redis: cluster.redis.url, cluster: { mirror: false } } });
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
  await eventually('it knows that', () =>
    blind.run(({ service }) => service.getWebSocketHealth().cluster.workers === 1),
  );
  await blind.run(({ gate }) => gate.open());
  expect(await busy.closed).toEqual({ code: 1001, reason: 'server is shutting down' });
  await exit;
}, 120_000);
