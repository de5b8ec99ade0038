import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../lib/testing/eventually.js';
import { TestCluster, type ClusterNode } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

const ROOMS = 1_000;
const PER_ROOM = 5;

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start({ options: { limits: { roomsPerClient: false } } });
});

// On a busy machine the load of a test may have cost a worker its connection.
beforeEach(() => cluster.converged());

afterAll(() => cluster.close());

/** The rooms or users that workers hear, by their channels in Redis, each with how many workers do. */
async function heard(kind: 'room' | 'user'): Promise<Record<string, number>> {
  const channels = await cluster.redis.command<string[]>('PUBSUB', 'CHANNELS', `pxl:${kind}:*`);
  const counts = await cluster.redis.command<(string | number)[]>('PUBSUB', 'NUMSUB', ...channels);
  return Object.fromEntries(
    channels.map((channel) => [channel.replace(`pxl:${kind}:`, ''), Number(counts[counts.indexOf(channel) + 1])]),
  );
}

function joinRooms(worker: WorkerProcess, { clientId }: TestClient, rooms: string[]): Promise<void> {
  return worker.run(({ service }, move) => service.joinRooms(move), { clientIds: [clientId], rooms });
}

describe('a worker hears the rooms of its own clients', () => {
  it(`and receives nothing of what is sent to ${ROOMS} rooms of another`, async () => {
    const [sender, receiver, bystander] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const roomsOf = (owner: string): string[] => Array.from({ length: ROOMS }, (_, at) => `${owner} ${at}`);
    const member = await receiver.worker.client();
    const other = await bystander.worker.client();
    await joinRooms(receiver.worker, member, roomsOf('receiver'));
    await joinRooms(bystander.worker, other, roomsOf('bystander'));
    // What workers tell each other of the joins is no part of it.
    for (const worker of cluster.workers) {
      await eventually('it knows all rooms', () =>
        worker.run(({ rooms }, count) => rooms.rooms.size === count, 2 * ROOMS),
      );
    }

    const before = [receiver, bystander].map(({ proxy }) => proxy.bytesOfReplies);
    const text = 'x'.repeat(500);
    await sender.worker.run(
      async ({ service }, { rooms, perRoom, data }) => {
        const message = { type: 'news', action: 'flash', data };
        for (let round = 0; round < perRoom; round++) {
          // So few at a time that no machine is too slow for them.
          for (let at = 0; at < rooms.length; at += 50) {
            await Promise.all(rooms.slice(at, at + 50).map((room) => service.sendToRooms([room], message)));
          }
        }
      },
      { rooms: roomsOf('receiver'), perRoom: PER_ROOM, data: text },
    );
    await eventually('everything has arrived', () => member.pending.length === ROOMS * PER_ROOM);
    const [received, overheard] = [receiver, bystander].map(({ proxy }, at) => proxy.bytesOfReplies - before[at]!);
    expect(received).toBeGreaterThan(ROOMS * PER_ROOM * text.length);
    // Probes and leases go on, for as long as the machine takes.
    expect(overheard).toBeLessThan(received! / 10);
    await other.expectNothing(10);
    await Promise.all([member.close(), other.close()]);
  });

  it('until the last of them has left', async () => {
    const [one, two] = cluster.workers as [WorkerProcess, WorkerProcess];
    const [ada, bob, eve] = [await one.client(), await one.client(), await two.client()];
    for (const client of [ada, bob]) await joinRooms(one, client, ['chess', 'go']);
    await joinRooms(two, eve, ['chess']);
    expect(await heard('room')).toMatchObject({ chess: 2, go: 1 });

    await one.run(({ service }, id) => service.leaveRooms({ clientIds: [id], rooms: ['chess', 'go'] }), ada.clientId);
    await bob.close();
    await eventually('only the other worker hears a room', async () => {
      const { chess, go } = await heard('room');
      return chess === 1 && go === undefined;
    });
    await two.run(({ service }) => service.sendToRooms(['chess'], { type: 'news', action: 'flash' }));
    expect(await eve.next()).toEqual({ type: 'news', action: 'flash' });
    await eve.close();
    await eventually('nobody hears a room', async () => Object.keys(await heard('room')).length === 0);
    await ada.close();
  });
});

it('a worker hears a user until the last of its sessions has ended', async () => {
  const [one, two] = cluster.workers as [WorkerProcess, WorkerProcess];
  const sessions = [await one.client({ userId: '7' }), await one.client({ userId: '7' })];
  const elsewhere = await two.client({ userId: '7' });
  expect(await heard('user')).toEqual({ 7: 2 });
  for (const session of sessions) await session.close();
  await eventually('one worker hears the user', async () => (await heard('user'))['7'] === 1);
  await elsewhere.close();
  await eventually('nobody hears a user', async () => Object.keys(await heard('user')).length === 0);
});

it('users that come and go while Redis stands still leave no subscription behind', async () => {
  const [one] = cluster.workers as [WorkerProcess];
  const wanted = (): Promise<number> =>
    one.run(({ service }) => service.getMetrics().find(({ name }) => name === 'pxl_ws_channels_wanted')!.value);
  const before = await wanted();
  const visitors = await Promise.all(Array.from({ length: 5 }, () => one.client()));
  cluster.redis.freeze();
  const joins = visitors.map(({ clientId }) =>
    one.run(({ server }, id) => server.joinRoom({ clientId: id, userId: id, roomName: 'lounge' }), clientId),
  );
  await eventually('the worker wants to hear the users', async () => (await wanted()) > before + visitors.length);
  await Promise.all(visitors.map((visitor) => visitor.close()));
  // Redis did not answer in time: nobody waits for it any more.
  expect(await Promise.all(joins)).toEqual(visitors.map(() => false));
  cluster.redis.thaw();
  await cluster.converged();
  await eventually('nobody hears a user', async () => Object.keys(await heard('user')).length === 0);
  expect(await wanted()).toBe(before);
});

it('joins and leaves in a tight loop leave as many subscriptions as there are rooms with members', async () => {
  const loops = cluster.workers.map(async (worker) => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => worker.client()));
    const ids = clients.map(({ clientId }) => clientId);
    await worker.run(async ({ rooms }, clientIds) => {
      for (let round = 0; round < 2_000; round++) {
        const clientId = clientIds[Math.floor(Math.random() * clientIds.length)]!;
        const roomName = `room ${Math.floor(Math.random() * 20)}`;
        if (Math.random() < 0.5) void rooms.addClientToRoom({ clientId, roomName });
        else rooms.removeClientFromRoom({ clientId, roomName });
        // Now and then Redis gets to answer.
        if (Math.random() < 0.05) await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }, ids);
    return clients;
  });
  const clients = (await Promise.all(loops)).flat();

  const membersByWorker = async (): Promise<Record<string, number>> => {
    const occupied = await Promise.all(
      cluster.workers.map((worker) =>
        worker.run(({ rooms, clients }) =>
          [...rooms.rooms]
            .filter(([, ids]) => [...ids].some((clientId) => clients.getClient({ clientId })?.ws))
            .map(([name]) => name),
        ),
      ),
    );
    const counts: Record<string, number> = {};
    for (const room of occupied.flat()) counts[room] = (counts[room] ?? 0) + 1;
    return counts;
  };
  await eventually('Redis knows of the occupied rooms and no others', async () => {
    const [rooms, subscriptions] = [await membersByWorker(), await heard('room')];
    return JSON.stringify(Object.entries(rooms).sort()) === JSON.stringify(Object.entries(subscriptions).sort());
  });
  expect(await heard('room')).not.toEqual({});

  await Promise.all(clients.map((client) => client.close()));
  await eventually('nobody hears a room', async () => Object.keys(await heard('room')).length === 0);
});
