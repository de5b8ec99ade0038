import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { WebSocketHealth } from 'nestjs-pxl-websocket';
import { isSoak, report } from '../support/cluster-periods.js';
import { DeliveryWatch } from '../support/delivery-watch.js';
import { eventually } from '../../lib/testing/eventually.js';
import { TestCluster, type ClusterNode } from '../support/test-cluster.js';

const RATE = 200;
/** How long a fault lasts, ms. */
const FAULT = isSoak ? 60_000 : 500;
/** What we promise, ms. */
const BACK = 5_000;
const SETTLED = 1_200;

let cluster: TestCluster;
let sender: ClusterNode;
let receiver: ClusterNode;
let watch: DeliveryWatch;

beforeAll(async () => {
  cluster = await TestCluster.start({ workers: 0 });
  // A proxy stands still whenever the test does: only the worker has one whose network fails.
  const direct = { redis: cluster.redis.url };
  for (const options of [direct, undefined, direct]) await cluster.add({ options });
  await cluster.converged();
  [sender, receiver] = cluster.nodes as [ClusterNode, ClusterNode];
});

beforeEach(async () => {
  watch = await DeliveryWatch.begin(cluster);
  await watch.start(RATE);
});

afterEach(async () => {
  await watch.close();
  // Where a test has failed.
  await allowChannels();
  receiver.proxy.heal();
  await cluster.converged();
});

afterAll(() => cluster.close());

function allowChannels(): Promise<unknown> {
  return cluster.redis.command('ACL', 'SETUSER', 'default', 'allchannels');
}

/** Resolves once the sender's own client has got what is sent in `ms`, which no fault of Redis keeps from it. */
async function loadGoesOnFor(ms: number): Promise<void> {
  const { arrivals } = watch.recorders[0]!;
  const enough = arrivals.length + (RATE * ms) / 1_000;
  await eventually('own clients get what is sent', () => arrivals.length >= enough, 2 * ms + 15_000);
}

/**
 * Fails unless delivery is whole again in time, and the load ended as promised: nothing that was refused before `healedAt`
 * came later. Resolves with how many were refused.
 */
async function expectRecovery(what: string, healedAt = Date.now()): Promise<number> {
  const begin = performance.now();
  await cluster.converged(cluster.workers, 2 * BACK);
  await watch.deliveredAgain(2 * BACK);
  report(`full delivery is back after ${what}`, performance.now() - begin, BACK);
  const results = await watch.stop();
  await watch.expectFullDelivery();
  const rejected = results.filter(({ code }) => code !== undefined);
  expect(watch.lateArrivals(rejected, healedAt)).toEqual([]);
  expect(watch.busiestSecond).toBeLessThanOrEqual(10);
  expect(Math.max(...results.map(({ ms }) => ms))).toBeLessThan(2 * SETTLED);
  expect(watch.recorders[0]!.numbers).toEqual(results.map(({ number }) => number));
  for (const { numbers } of watch.recorders) expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  return rejected.length;
}

it.each(['pubsub', 'normal'])(
  'delivery is whole again when Redis no longer cuts all connections of the kind %s',
  async (kind) => {
    const until = performance.now() + FAULT;
    while (performance.now() < until) {
      await cluster.redis.command('CLIENT', 'KILL', 'TYPE', kind, 'SKIPME', 'yes');
      // What Redis had before it cut the connection has arrived by then, even if its sender got no answer.
      await loadGoesOnFor(50);
    }
    await expectRecovery(`all ${kind} connections were cut in a loop`);
  },
  4 * FAULT + 60_000,
);

it(
  'delivery is whole again when Redis allows its channels again, and no worker is ready before',
  async () => {
    await cluster.redis.command('ACL', 'SETUSER', 'default', 'resetchannels');
    await cluster.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    for (const { worker } of cluster.nodes) {
      await eventually(
        'it is not ready',
        async () => !(await worker.run(({ service }) => service.getWebSocketHealth().ready)),
      );
    }
    await loadGoesOnFor(FAULT);
    for (const { worker } of cluster.nodes) {
      const health = (): Promise<WebSocketHealth> => worker.run(({ service }) => service.getWebSocketHealth());
      // The refusal is the answer to the attempt that follows the cut, which comes after the worker stopped being ready.
      const isRefused = async (): Promise<boolean> => (await health()).redis.lastError?.includes('NOPERM') ?? false;
      await eventually('it tells that Redis refuses its channels', isRefused);
      expect(await health()).toMatchObject({ ready: false, redis: { connected: false } });
    }
    const healedAt = Date.now();
    await allowChannels();
    expect(await expectRecovery('Redis refused its channels', healedAt)).toBeGreaterThan(0);
  },
  4 * FAULT + 60_000,
);

it(
  'a worker whose own network is down keeps nothing from the clients of the others',
  async () => {
    receiver.proxy.blackHole();
    await eventually(
      'it is not ready',
      async () => !(await receiver.worker.run(({ service }) => service.getWebSocketHealth().ready)),
    );
    await loadGoesOnFor(FAULT);
    expect(await sender.worker.run(({ service }) => service.getWebSocketHealth().ready)).toBe(true);
    receiver.proxy.heal();
    const refused = await expectRecovery("a worker's network was down");
    expect(refused).toBe(0);
    const [own, , other] = watch.recorders;
    expect(other!.numbers).toEqual(own!.numbers);
  },
  4 * FAULT + 60_000,
);
