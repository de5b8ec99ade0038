import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Audience } from '../support/audience.js';
import { isSoak } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { mutationOf } from '../support/mutations.js';
import { SeededRandom } from '../support/seeded-random.js';
import { TestCluster } from '../support/test-cluster.js';
import { until } from '../support/until.js';
import type { WorkerProcess } from '../support/worker-process.js';

const CASES = isSoak ? 500_000 : 20_000;
const BATCH = 500;
const REGISTRY = 'pxl:registry';
const seed = Number(process.env.PXL_SEED ?? 1);

let cluster: TestCluster;
let stranger: Redis;

beforeAll(async () => {
  cluster = await TestCluster.start({ workers: 2 });
  stranger = new Redis(cluster.redis.port, '127.0.0.1');
});

afterAll(async () => {
  stranger.disconnect();
  await cluster.close();
});

/** What the workers publish while every kind of content is sent, by its channels. */
async function record(): Promise<[channel: string, payload: string][]> {
  const recorded: [string, string][] = [];
  const listener = stranger.duplicate();
  listener.on('pmessage', (_pattern, channel: string, payload: string) => recorded.push([channel, payload]));
  await listener.psubscribe('pxl:*');
  const [one, two] = cluster.workers as [WorkerProcess, WorkerProcess];
  const client = await two.client({ userId: '7' });
  await one.run(async ({ service, server, clients }, clientId) => {
    await service.joinRooms({ clientIds: [clientId], rooms: ['chess', 'go'] });
    await service.sendToRooms(['chess', 'go'], { type: 'news', action: 'flash', data: { text: 'hello' } });
    await service.sendToClients([clientId], { type: 'news', action: 'flash' }, { exclude: ['x'], volatile: true });
    await service.sendToUsers([7], { type: 'news', action: 'flash' });
    await service.publish('orders', { id: 1 });
    await service.fetchClients({ room: 'chess' });
    clients.updateClient({ clientId, key: 'theme', data: 'dark' });
    server.leaveRoom({ clientId, roomName: 'go' });
    clients.broadcastClientList('test');
    await service.revoke({ jti: 'a' });
    await service.disconnectClients({ clientIds: [clientId] });
  }, client.clientId);
  await client.closed;
  const isTold = (onRegistry: boolean): boolean =>
    recorded.some(([channel, payload]) => (channel === REGISTRY) === onRegistry && payload.includes(client.clientId));
  await eventually('the client is told of on every channel', () => isTold(true) && isTold(false));
  await eventually('the end of the client is told', () =>
    recorded.some(([, payload]) => payload.includes('disconnected')),
  );
  listener.disconnect();
  return recorded;
}

/**
 * A mutation may bear the number of a message that its supposed sender is yet to send in the same second, which is then
 * taken for a copy. Without `cluster.secret` nothing speaks against that; numbers of another second are no longer concerned.
 */
function nextSecondAfter(time: number): Promise<void> {
  return until(() => Math.floor(Date.now() / 1_000) > Math.floor(time / 1_000));
}

function junkOf(worker: WorkerProcess): Promise<number> {
  return worker.run(({ service }) => {
    const junk = service.getMetrics().filter(({ name }) => name.includes('junk'));
    return junk.reduce((sum, { value }) => sum + value, 0);
  });
}

it.each<[what: string, isMeant: (channel: string) => boolean]>([
  ['the channels of the bus', (channel) => channel !== REGISTRY],
  ['the channel of the registry', (channel) => channel === REGISTRY],
])(
  `${CASES} messages of a stranger on %s break nothing, and are counted`,
  async (_, isMeant) => {
    const recorded = (await record()).filter(([channel]) => isMeant(channel));
    const random = new SeededRandom(seed);
    const begin = Date.now();
    for (let sent = 0; sent < CASES; sent += BATCH) {
      const batch = stranger.pipeline();
      for (let at = 0; at < BATCH; at++) {
        const [, payload] = random.pick(recorded);
        batch.publish(random.pick(recorded)[0], mutationOf(payload, random));
      }
      await batch.exec();
    }

    await nextSecondAfter(begin);
    await cluster.converged();
    for (const worker of cluster.workers) {
      expect(await junkOf(worker)).toBeGreaterThan(CASES / 100);
      expect(worker.uncaught).toEqual([]);
      const seconds = (Date.now() - begin) / 1_000 + 1;
      expect(worker.log.filter(({ at }) => at >= begin).length / seconds).toBeLessThanOrEqual(10);
    }
    const clients = await Promise.all(cluster.workers.map((worker) => worker.client({ userId: '8' })));
    const audience = new Audience({ one: clients[0]!, two: clients[1]! });
    const message = { type: 'news', action: 'flash', data: 'all is well' };
    for (const worker of cluster.workers) {
      await worker.run(({ service }, news) => service.sendToUsers([8], news), message);
      await audience.expectReached(worker, ['one', 'two'], message);
      await eventually('the view is right', () => worker.run(({ clients }) => clients.getClients().length === 2));
    }
    await audience.close();
  },
  isSoak ? 600_000 : 60_000,
);
