import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ClientQuery } from 'nestjs-pxl-websocket';
import { LEASE, report } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** What we promise of every question, ms. */
const SETTLED = 1_200;

let cluster: TestCluster;
let workers: WorkerProcess[];
/** On each worker: a session of user 7, a member of the room; and an anonymous client. */
let members: TestClient[];
let others: TestClient[];

beforeAll(async () => {
  cluster = await TestCluster.start({ workers: 2, isDirect: true, options: { cluster: { shareUser: ['email'] } } });
  await cluster.add({ options: { cluster: { mirror: false } } });
  await cluster.converged();
  workers = cluster.workers;
  members = await Promise.all(workers.map((worker) => worker.client({ userId: '7', email: 'ada@x' })));
  others = await Promise.all(workers.map((worker) => worker.client()));
  await workers[0]!.run(({ service }) => service.joinRooms({ userIds: [7], rooms: ['chess'] }));
});

afterAll(() => cluster.close());

function fetchFrom(
  worker: WorkerProcess,
  query: ClientQuery,
): Promise<{ ids: string[]; partial: boolean; ms: number }> {
  return worker.run(async ({ service }, asked) => {
    const begin = performance.now();
    const { clients, partial } = await service.fetchClients(asked);
    return { ids: clients.map(({ clientId }) => clientId).sort(), partial, ms: performance.now() - begin };
  }, query);
}

function countFrom(worker: WorkerProcess, query: ClientQuery): Promise<{ count: number; partial: boolean }> {
  return worker.run(({ service }, asked) => service.countClients(asked), query);
}

const idsOf = (clients: TestClient[]): string[] => clients.map(({ clientId }) => clientId).sort();

describe('fetchClients and countClients', () => {
  it.each<[string, ClientQuery, () => TestClient[]]>([
    ['all clients', {}, () => [...members, ...others]],
    ["a room's", { room: 'chess' }, () => members],
    ["a user's", { userId: 7 }, () => members],
    ["a user's in a room", { room: 'chess', userId: '7' }, () => members],
    ["a user's elsewhere", { room: 'go', userId: '7' }, () => []],
    ['nobody', { room: 'nowhere' }, () => []],
  ])('tell of %s on every worker, asked on whichever', async (_, query, expected) => {
    for (const worker of workers) {
      expect(await fetchFrom(worker, query)).toMatchObject({ ids: idsOf(expected()), partial: false });
      expect(await countFrom(worker, query)).toEqual({ count: expected().length, partial: false });
    }
  });

  it('tell of a client of another worker what workers share', async () => {
    const { clientId } = members[1]!;
    const told = await workers[0]!.run(async ({ service }, id) => {
      const { clients } = await service.fetchClients({ room: 'chess' });
      const client = clients.find((entry) => entry.clientId === id)!;
      return {
        ...client,
        ws: client.ws,
        rooms: [...client.rooms],
        roomName: client.roomName,
        metadata: client.metadata,
      };
    }, clientId);
    expect(told).toMatchObject({
      clientId,
      ws: null,
      workerId: workers[1]!.workerId,
      user: { userId: '7', payload: { email: 'ada@x' } },
      rooms: ['chess'],
      roomName: 'chess',
      metadata: {},
    });
  });

  it('say that a part is missing when a worker does not answer, after a second', async () => {
    const [asking, frozen] = workers as [WorkerProcess, WorkerProcess];
    frozen.freeze();
    try {
      const { ids, partial, ms } = await fetchFrom(asking, { room: 'chess' });
      report('a question that a worker leaves unanswered settles', ms, SETTLED);
      expect(ms).toBeLessThan(2 * SETTLED);
      expect({ ids, partial }).toEqual({ ids: idsOf([members[0]!, members[2]!]), partial: true });
    } finally {
      frozen.thaw();
    }
    await eventually('it answers again', async () => !(await countFrom(asking, {})).partial);
  });

  it('have what was answered while the worker that asks stood still for longer than that', async () => {
    const counted = await workers[0]!.run(async ({ service }) => {
      const asked = service.countClients({});
      // The question leaves before that.
      for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
      const end = performance.now() + 1_300;
      while (performance.now() < end) continue;
      return asked;
    });
    expect(counted).toEqual({ count: 6, partial: false });
    await cluster.converged();
  });
});

describe('a worker with cluster.mirror: false', () => {
  it('reads its own clients at once, and those of all when it asks', async () => {
    const [, , blind] = workers as [WorkerProcess, WorkerProcess, WorkerProcess];
    const known = await blind.run(({ clients, rooms }) => ({
      all: clients.getClients().length,
      sessions: clients.getClientsByUser({ userId: 7 }).length,
      members: rooms.getRoomClients({ roomName: 'chess' }).length,
    }));
    expect(known).toEqual({ all: 2, sessions: 1, members: 1 });
    expect(await countFrom(blind, {})).toEqual({ count: 6, partial: false });
    // How many connections the others have, their leases tell.
    await eventually('its health tells of all', async () => {
      const { workers, connections } = await blind.run(({ service }) => service.getWebSocketHealth().cluster);
      return workers === 3 && connections === 6;
    });
  });

  it('says so once at start', () => {
    const lines = workers.map(({ log }) => log.filter(({ line }) => line.includes('mirror')).length);
    expect(lines).toEqual([0, 0, 1]);
  });

  it('picks by a predicate among its own clients, and says so once where that is not what was asked for', async () => {
    const [one, , blind] = workers as [WorkerProcess, WorkerProcess, WorkerProcess];
    const saidBy = ({ log }: WorkerProcess): string[] =>
      log.map(({ line }) => line).filter((line) => line.startsWith('warn A predicate'));
    for (const worker of [one, blind]) {
      await worker.run(({ server }) => {
        const nobody = { data: null, predicate: () => false };
        server.local.broadcastToAllClients(nobody);
        server.broadcastToAllClients(nobody);
        server.broadcastToAllClients(nobody);
      });
    }
    expect(saidBy(one)).toEqual([]);
    expect(saidBy(blind)).toEqual([
      "warn A predicate of broadcastToAllClients picks among this worker's clients only: it knows no others with " +
        'cluster.mirror: false. PxlWebSocket',
    ]);
  });

  it('knows a client of another worker by the form of its id', async () => {
    const [, , blind] = workers as [WorkerProcess, WorkerProcess, WorkerProcess];
    const { clientId } = members[0]!;
    await blind.run(
      ({ service }, destination) => service.send({ destination, payload: { topic: 'news:flash', data: 'hello' } }),
      clientId,
    );
    expect(await members[0]!.next()).toMatchObject({ type: 'news', action: 'flash', data: 'hello' });
  });

  it('reaches the clients of the others, and is told of their changes', async () => {
    const [one, , blind] = workers as [WorkerProcess, WorkerProcess, WorkerProcess];
    const message = { type: 'news', action: 'flash' };
    await blind.run(({ service }, news) => service.sendToUsers([7], news), message);
    for (const member of members) expect(await member.next()).toEqual(message);

    const visitor = await one.client();
    const heard = (channel: string): boolean =>
      blind.events.some((event) => event.channel === channel && event.message.clientId === visitor.clientId);
    await eventually('it hears of the client', () => heard('clientConnected'));
    await visitor.close();
    await eventually('it hears of its end', () => heard('clientDisconnected'));
  });
});

it('the end of a killed worker is heard once by those that keep a mirror and those that do not, and one acts', async () => {
  const [one, victim, blind] = workers as [WorkerProcess, WorkerProcess, WorkerProcess];
  const lost = [members[1]!, others[1]!].map(({ clientId }) => clientId).sort();
  const left = [one, blind];
  for (const { events } of left) events.length = 0;
  await victim.kill();
  const endsOn = ({ events }: WorkerProcess): WorkerProcess['events'] =>
    events.filter(({ channel }) => channel === 'clientDisconnected');
  await eventually('both have heard', () => left.every((worker) => endsOn(worker).length >= lost.length), 10 * LEASE);
  await members[0]!.expectNothing(LEASE / 4);
  for (const worker of left)
    expect(
      endsOn(worker)
        .map(({ message }) => message.clientId)
        .sort(),
    ).toEqual(lost);
  const acting = left.flatMap(endsOn).filter(({ isResponsible }) => isResponsible);
  expect(acting.map(({ message }) => message.clientId).sort()).toEqual(lost);
}, 60_000);
