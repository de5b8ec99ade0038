import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { eventually } from '../../lib/testing/eventually.js';
import { report } from '../support/cluster-periods.js';
import { RedisServer } from '../support/redis-server.js';
import { TestCluster } from '../support/test-cluster.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** What we promise, ms: a fault of Redis is noticed, and full delivery is back. */
const [NOTICED, BACK] = [10_000, 5_000];

let former: RedisServer;
let master: RedisServer;
let cluster: TestCluster;

beforeEach(async () => {
  [former, master] = await Promise.all([RedisServer.start(), RedisServer.start()]);
  cluster = await TestCluster.start({ workers: 2, redis: former });
});

afterEach(async () => {
  await cluster.close();
  await Promise.all([former.stop(), master.stop()]);
});

it('workers leave a master that has become a replica, although nobody ends their connections', async () => {
  const [one, two] = cluster.workers as [WorkerProcess, WorkerProcess];
  const ada = await two.client();
  await two.run(({ service }, id) => service.joinRooms({ clientIds: [id], rooms: ['chess'] }), ada.clientId);

  for (const { proxy } of cluster.nodes) proxy.target = master.port;
  await former.command('REPLICAOF', '127.0.0.1', master.port);
  const begin = performance.now();
  await eventually(
    'both are connected to the new master',
    async () => (await master.command<string>('CLIENT', 'LIST')).match(/name=pxl:\S+/g)?.length === 4,
    2 * (NOTICED + BACK),
  );
  await cluster.converged(cluster.workers, 2 * BACK);
  report('workers follow a failover', performance.now() - begin, NOTICED + BACK);
  const message = { type: 'news', action: 'flash' };
  await one.run(({ service }, news) => service.sendToRooms(['chess'], news), message);
  expect(await ada.next()).toEqual(message);
  // A worker that is too slow to answer makes it partial.
  const counted = (): Promise<{ count: number; partial: boolean }> => one.run(({ service }) => service.countClients());
  await eventually('both tell of their clients', async () => !(await counted()).partial);
  expect((await counted()).count).toBe(1);
});
