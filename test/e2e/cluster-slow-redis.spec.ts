import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { TestCluster, type ClusterNode } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';

/** A reply's way, ms: a channel is confirmed in time, but who asked for it from afar hears of that too late. */
const SLOW = 600;

let cluster: TestCluster;
let asking: ClusterNode;
let ada: TestClient;

beforeAll(async () => {
  cluster = await TestCluster.start({ workers: 2 });
  const [one, two] = cluster.nodes as [ClusterNode, ClusterNode];
  asking = one;
  ada = await two.worker.client();
  await asking.worker.run(({ service }, id) => service.joinRooms({ clientIds: [id], rooms: ['go'] }), ada.clientId);
  two.proxy.replies = SLOW;
});

afterAll(() => cluster.close());

it('a client of another worker that does not join in time is not in the room afterwards', async () => {
  const join = { clientId: ada.clientId, roomName: 'chess' };
  expect(await asking.worker.run(({ server }, given) => server.joinRoom(given), join)).toBe(false);
  // What is sent behind the join comes behind it.
  const message = { type: 'news', action: 'flash' };
  await asking.worker.run(({ service }, given) => service.sendToClients([given.clientId], given.message), {
    clientId: ada.clientId,
    message,
  });
  expect(await ada.next()).toEqual(message);
  const [, two] = cluster.workers;
  expect(await two!.run(({ rooms }) => [...rooms.rooms.keys()])).toEqual(['go']);
});

it('revoke() settles in time although it has two things to do', async () => {
  const [, two] = cluster.workers;
  const [one, both] = await two!.run(({ service }) => {
    const timeOf = async (work: Promise<void>): Promise<number> => {
      const begin = performance.now();
      await work.catch(() => undefined);
      return performance.now() - begin;
    };
    const message = { type: 'news', action: 'flash' };
    return Promise.all([
      timeOf(service.sendToUsers(['nobody'], message)),
      timeOf(service.revoke({ userId: '7' })),
    ] as const);
  });
  // One after the other they would take a reply's way longer than what is one thing.
  expect(both).toBeLessThan(one + SLOW / 2);
});
