import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { Audience } from '../support/audience.js';
import { isSoak, LEASE, report, SCALE } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** What we promise: a dead worker's clients are gone; a worker that comes back is known again. In ms. */
const GONE = 15_000 / SCALE;
const CONVERGED = 5_000;
/** How many leases a worker stands still for when it does so for long. */
const LONG = isSoak ? 3 : 2;
const TIMEOUT = 10 * LEASE + 60_000;

const news = { type: 'news', action: 'flash', data: 'hello' };

let cluster: TestCluster;
let one: WorkerProcess;
let two: WorkerProcess;
let victim: WorkerProcess;
/** Of a worker that nothing happens to. */
let witness: TestClient;
let clients: TestClient[];

beforeAll(async () => {
  cluster = await TestCluster.start();
  [one, two, victim] = cluster.workers as [WorkerProcess, WorkerProcess, WorkerProcess];
  witness = await one.client();
  await joinChess(one, [witness]);
});

afterEach(async () => {
  cluster.redis.thaw();
  victim.thaw();
  await Promise.all(clients.map((client) => client.close()));
});

afterAll(() => cluster.close());

/** Clients of the victim that all others know, and no others of it. */
async function connectKnown(): Promise<void> {
  clients = await Promise.all([1, 2, 3].map((id) => victim.client({ userId: String(id) })));
  await joinChess(victim, clients);
  const ids = [witness, ...clients].map(({ clientId }) => clientId).sort();
  for (const worker of [one, two]) {
    await eventually('it knows the clients', async () => (await membersOn(worker)).join() === ids.join());
  }
  for (const { events } of cluster.workers) events.length = 0;
}

function joinChess(worker: WorkerProcess, clients: TestClient[]): Promise<void> {
  const clientIds = clients.map(({ clientId }) => clientId);
  return worker.run(({ service }, ids) => service.joinRooms({ clientIds: ids, rooms: ['chess'] }), clientIds);
}

/** The ids of the members that a worker knows. */
function membersOn(worker: WorkerProcess): Promise<string[]> {
  return worker.run(({ rooms }) => rooms.getRoomClients({ roomName: 'chess' }).sort());
}

/** The ends of clients that a worker has heard of. */
function endsOn({ events }: WorkerProcess): string[] {
  return events
    .filter(({ channel }) => channel === 'clientDisconnected')
    .map(({ message }) => String(message.clientId));
}

function told({ channel, message }: WorkerProcess['events'][number]): string {
  return `${channel} ${JSON.stringify(message)}`;
}

/** Fails unless what each of the workers sends to the room reaches all of its members, once. */
async function expectDelivery(workers: readonly WorkerProcess[], clients: TestClient[]): Promise<void> {
  const audience = new Audience(new Map([witness, ...clients].map((client, at) => [String(at), client])));
  const names = [...clients.keys(), clients.length].map(String);
  for (const worker of workers) {
    await worker.run(({ service }, message) => service.sendToRooms(['chess'], message), news);
    await audience.expectReached(worker, names, news);
  }
  if (clients.length > 0) for (const client of clients) expect(client.socket.readyState).toBe(1);
}

it(
  'a worker that stands still for half a lease is missed by nobody',
  async () => {
    await connectKnown();
    victim.freeze();
    await witness.expectNothing(0.5 * LEASE);
    victim.thaw();
    await witness.expectNothing(LEASE / 2);
    for (const worker of cluster.workers) expect(endsOn(worker)).toEqual([]);
    await expectDelivery(cluster.workers, clients);
  },
  TIMEOUT,
);

it(
  'a Redis that stands still for most of a lease makes nobody miss a worker',
  async () => {
    await connectKnown();
    cluster.redis.freeze();
    await witness.expectNothing(0.8 * LEASE);
    cluster.redis.thaw();
    await cluster.converged(cluster.workers, 2 * CONVERGED);
    await witness.expectNothing(LEASE / 2);
    for (const worker of cluster.workers) expect(endsOn(worker)).toEqual([]);
    await expectDelivery(cluster.workers, clients);
  },
  TIMEOUT,
);

it(
  `the clients of a worker that stands still for ${LONG} leases leave and come back, and none is disconnected`,
  async () => {
    await connectKnown();
    const ids = clients.map(({ clientId }) => clientId).sort();
    victim.freeze();
    await witness.expectNothing(LONG * LEASE);
    for (const worker of [one, two]) {
      await eventually('its clients are gone', () => endsOn(worker).length >= ids.length, 2 * GONE);
      expect(endsOn(worker).sort()).toEqual(ids);
      expect(await membersOn(worker)).toEqual([witness.clientId]);
    }

    victim.thaw();
    const begin = performance.now();
    await eventually(
      'the others know its clients again',
      async () => {
        const counts = await Promise.all([one, two].map(membersOn));
        return counts.every(({ length }) => length === clients.length + 1);
      },
      2 * CONVERGED,
    );
    report('a worker that stood still is known again', performance.now() - begin, CONVERGED);
    await cluster.converged();
    expect(endsOn(victim)).toEqual([]);
    await expectDelivery(cluster.workers, clients);
  },
  TIMEOUT,
);

it(
  'the clients of a killed worker leave every other worker, once each',
  async () => {
    await connectKnown();
    const ids = clients.map(({ clientId }) => clientId).sort();
    const { workerId } = victim;
    await victim.kill();
    for (const { closed } of clients) expect(await closed).toMatchObject({ code: 1006 });
    const begin = performance.now();
    for (const worker of [one, two]) {
      await eventually('the clients are gone', async () => (await membersOn(worker)).length === 1, 2 * GONE);
    }
    report("a killed worker's clients are gone", performance.now() - begin, GONE);

    // Redis keeps nothing of it, and what others do about that happens once.
    await cluster.converged([one, two], 2 * LEASE);
    await eventually(
      'nothing of it is left',
      async () => {
        return (await cluster.redis.command<string[]>('KEYS', `*${workerId}*`)).length === 0;
      },
      2 * LEASE,
    );
    const goneOn = ({ events }: WorkerProcess): string[] =>
      events.filter(({ channel }) => channel === 'userDisconnected').map(({ message }) => String(message.userId));
    // They are told of one bucket after another, when the rest is done.
    await eventually('all hear of the users', () => [one, two].every((worker) => goneOn(worker).length >= 3));
    await witness.expectNothing(LEASE / 2);
    for (const worker of [one, two]) {
      expect(endsOn(worker).sort()).toEqual(ids);
      const leaves = worker.events.filter(({ channel }) => channel === 'clientLeftRoom');
      expect(leaves.map(({ message }) => message)).toEqual(
        expect.arrayContaining(
          ids.map((clientId) => expect.objectContaining({ clientId, workerId, roomName: 'chess' })),
        ),
      );
      expect(leaves).toHaveLength(clients.length);
      expect(goneOn(worker).sort()).toEqual(['1', '2', '3']);
      const end = worker.events.find(({ channel }) => channel === 'clientDisconnected')!;
      expect(end.message).toMatchObject({ workerId, code: 1006 });
      expect(await worker.run(({ clients, rooms }) => [clients.getClients().length, rooms.rooms.size])).toEqual([1, 1]);
    }
    const acted = [one, two].flatMap(({ events }) => events.filter(({ isResponsible }) => isResponsible));
    expect(acted.map(told).sort()).toEqual(one.events.map(told).sort());
    await expectDelivery([one, two], []);
  },
  TIMEOUT,
);
