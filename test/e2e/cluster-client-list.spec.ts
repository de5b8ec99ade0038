import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** What stands between two pushes, ms. */
const PAUSE = 1_000;

/** The data of a push. */
interface List {
  event?: string;
  clients: { clientId: string; userId?: string; rooms: string[] }[];
}

let cluster: TestCluster;
let workers: [WorkerProcess, WorkerProcess];
/** One on each worker. */
let clients: TestClient[];

beforeAll(async () => {
  const fields = ['clientId', 'userId', 'username', 'rooms', 'user.payload.team'];
  cluster = await TestCluster.start({ workers: 2, options: { clientList: { enabled: true, fields } } });
  workers = cluster.workers as typeof workers;
  clients = await Promise.all(workers.map((worker, at) => worker.client({ userId: `user ${at}` })));
  await expectPushed((list) => list.clients.length === clients.length);
});

afterAll(() => cluster.close());

/** Resolves with the next push that fits, of each client. Those before it are of changes that came before. */
async function expectPushed(fits: (list: List) => boolean): Promise<List[]> {
  const isList = ({ type, action }: { type?: unknown; action?: unknown }): boolean =>
    type === 'system' && action === 'clientList';
  return Promise.all(
    clients.map(async (client) => {
      for (;;) {
        const { data } = await client.take(isList);
        if (fits(data as List)) return data as List;
      }
    }),
  );
}

/** The list as it has to be, with the rooms of some clients. */
function listOf(rooms: Record<string, string[]> = {}): List['clients'] {
  const entries = clients.map(({ clientId, userId }) => ({ clientId, userId: userId!, rooms: rooms[userId!] ?? [] }));
  return sorted(entries);
}

function sorted(entries: List['clients']): List['clients'] {
  return [...entries].sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
}

it('every worker answers a client with the list of all', async () => {
  for (const client of clients) {
    const { clients: listed } = (await client.request('system', 'clientList')) as List;
    expect(sorted(listed)).toEqual(listOf());
  }
});

it('lacks of clients of other workers the claims that they do not share, which a warning names once', () => {
  for (const { log } of workers) {
    expect(log.filter(({ line }) => line.startsWith('warn The claim "team" was looked for'))).toHaveLength(1);
  }
});

it('broadcastClientList pushes the list to the clients of every worker once, whichever worker it is called on', async () => {
  for (const [at, worker] of workers.entries()) {
    await worker.run(({ clients }, event) => clients.broadcastClientList(event), `mine ${at}`);
    for (const list of await expectPushed(({ event }) => event === `mine ${at}`)) {
      expect(sorted(list.clients)).toEqual(listOf());
    }
  }
  await Promise.all(clients.map((client) => client.expectNothing(PAUSE + 200)));
});

it('a change of a client of any worker pushes the list of all clients to those of every worker', async () => {
  const rooms: Record<string, string[]> = {};
  for (const [at, worker] of workers.entries()) {
    const { clientId, userId } = clients[at]!;
    await worker.run(({ service }, id) => service.joinRooms({ clientIds: [id], rooms: ['chess'] }), clientId);
    rooms[userId!] = ['chess'];
    for (const list of await expectPushed(({ event }) => event === 'clientJoinedRoom')) {
      expect(sorted(list.clients)).toEqual(listOf(rooms));
    }
  }
  await clients.pop()!.close();
  for (const list of await expectPushed(({ event }) => event === 'clientDisconnected')) {
    expect(sorted(list.clients)).toEqual(listOf(rooms));
  }
});
