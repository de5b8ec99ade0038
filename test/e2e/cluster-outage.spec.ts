import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { WebSocketHealth } from 'nestjs-pxl-websocket';
import { isSoak, report } from '../support/cluster-periods.js';
import { DeliveryWatch } from '../support/delivery-watch.js';
import { eventually } from '../../lib/testing/eventually.js';
import type { SendResult } from '../support/send-load.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

const RATE = isSoak ? 1_000 : 200;
/** How long Redis is away once all workers have noticed, ms. */
const OUTAGE = isSoak ? 60_000 : 500;
/** What we promise, ms. */
const SETTLED = 1_200;
const NOTICED = 10_000;
const BACK = 5_000;
const MAX_AGE = 10_000;
/** What a process may hold more after an outage than before, bytes. */
const GROWTH = 30 * 2 ** 20;

let cluster: TestCluster;
let watch: DeliveryWatch;

beforeAll(async () => {
  cluster = await TestCluster.start({ options: { rooms: { open: true } } });
});

beforeEach(async () => {
  watch = await DeliveryWatch.begin(cluster);
});

afterEach(async () => {
  await watch.close();
  // Where a test has failed.
  cluster.redis.thaw();
  for (const { proxy } of cluster.nodes) proxy.heal();
  await cluster.converged();
});

afterAll(() => cluster.close());

function healths(): Promise<WebSocketHealth[]> {
  return Promise.all(cluster.workers.map((worker) => worker.run(({ service }) => service.getWebSocketHealth())));
}

const areReady = async (): Promise<boolean> => {
  return (await healths()).every(({ ready, status }) => ready && status === 'healthy');
};

const areDegraded = async (): Promise<boolean> => {
  return (await healths()).every(({ ready, status, redis }) => !ready && status === 'degraded' && !redis.connected);
};

function heapOf(worker: WorkerProcess): Promise<number> {
  return worker.run(() => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  });
}

interface Fault {
  begin(): unknown;
  end(): unknown;
  /** Whether Redis itself may have a message already that it has not answered. */
  isHeldByRedis?: boolean;
  /** Like another one, as far as workers can tell. */
  isVariant?: boolean;
}

const faults: Record<string, Fault> = {
  'is killed, and started again with its data': {
    begin: () => cluster.redis.kill(),
    end: () => cluster.redis.run(),
    isVariant: true,
  },
  'is killed, and started again without its data': {
    begin: () => cluster.redis.kill(),
    end: async () => {
      await cluster.redis.forget();
      await cluster.redis.run();
    },
  },
  'stands still': { begin: () => cluster.redis.freeze(), end: () => cluster.redis.thaw(), isHeldByRedis: true },
  'is behind a network in which nothing arrives': {
    begin: () => cluster.nodes.forEach(({ proxy }) => proxy.blackHole()),
    end: () => cluster.nodes.forEach(({ proxy }) => proxy.heal()),
    isVariant: true,
  },
  'gives answers that are lost': {
    begin: () => cluster.nodes.forEach(({ proxy }) => (proxy.replies = 'drop')),
    end: () => cluster.nodes.forEach(({ proxy }) => proxy.heal()),
  },
};

const tested = Object.keys(faults).filter((what) => isSoak || !faults[what]!.isVariant);

it.each(tested)(
  'while Redis %s, own clients get everything, other sends and joins are refused, and nothing of it comes later',
  async (what) => {
    const fault = faults[what]!;
    const heaps = await Promise.all(cluster.workers.map(heapOf));
    await watch.start(RATE);

    await fault.begin();
    const noticed = await eventually('every worker is degraded', areDegraded, 2 * NOTICED);
    report(`every worker notices that Redis ${what}`, noticed, NOTICED);
    await expectDegraded(cluster.workers[0]!, watch.clients as [TestClient, TestClient]);
    const { arrivals } = watch.recorders[0]!;
    const enough = arrivals.length + (RATE * OUTAGE) / 1_000;
    await eventually('own clients get what is sent', () => arrivals.length > enough, 2 * OUTAGE + 15_000);

    const healedAt = Date.now();
    await fault.end();
    await eventually('every worker is ready', areReady, 2 * BACK);
    await watch.deliveredAgain(2 * BACK);
    report(`full delivery is back after Redis ${what}`, Date.now() - healedAt, BACK);
    const results = await watch.stop();
    await watch.expectFullDelivery();

    expectOutcome(results, fault, healedAt);
    expect(watch.busiestSecond).toBeLessThanOrEqual(10);
    for (const [at, worker] of cluster.workers.entries()) {
      expect((await heapOf(worker)) - heaps[at]!).toBeLessThan(GROWTH);
    }
  },
  4 * OUTAGE + 60_000,
);

/** Fails unless a worker does what it can without Redis, and refuses the rest at once. */
async function expectDegraded(
  worker: WorkerProcess,
  [own, other]: [own: TestClient, other: TestClient],
): Promise<void> {
  const ids = { own: own.clientId, other: other.clientId };
  const { ms, codes } = await worker.run(async ({ service }, { own, other }) => {
    const message = { type: 'news', action: 'flash' };
    const attempts: Record<string, Promise<void>> = {
      toOwnClient: service.sendToClients([own], message),
      toOtherClient: service.sendToClients([other], message),
      toEverybody: service.broadcast(message),
      toUser: service.sendToUsers([7], message),
      toRoom: service.sendToRooms(['load'], message),
      disconnect: service.disconnectClients({ clientIds: [other] }),
      joinNew: service.joinRooms({ clientIds: [own], rooms: ['new'] }),
    };
    const codes: Record<string, string> = {};
    const begin = performance.now();
    for (const [name, attempt] of Object.entries(attempts)) {
      codes[name] = await attempt.then(() => 'done').catch((error: unknown) => (error as { code: string }).code);
    }
    return { codes, ms: performance.now() - begin };
  }, ids);
  const { toOwnClient, ...others } = codes;
  expect(toOwnClient).toBe('done');
  expect(new Set(Object.values(others))).toEqual(new Set(['UNAVAILABLE']));
  // None of them waits for Redis, which would take a second.
  expect(ms).toBeLessThan(1_000);
  await expect(own.request('system', 'joinRoom', { roomName: 'new' })).rejects.toThrow(/^UNAVAILABLE/);
  expect(await own.request('system', 'ping')).toBeDefined();
}

/** Fails unless the load, of which some was sent before `healedAt`, did to each client what was promised. */
function expectOutcome(results: readonly SendResult[], { isHeldByRedis = false }: Fault, healedAt: number): void {
  const [own, ...others] = watch.recorders;
  expect(own!.numbers).toEqual(results.map(({ number }) => number));

  const rejected = results.filter(({ code }) => code !== undefined);
  expect(new Set(rejected.map(({ code }) => code))).toEqual(new Set(['UNAVAILABLE']));
  const slowest = Math.max(...results.map(({ ms }) => ms));
  report('the slowest send settles', slowest, SETTLED);
  expect(slowest).toBeLessThan(2 * SETTLED);

  const gone = rejected.filter(({ ms }) => !isHeldByRedis || ms < SETTLED / 4);
  expect(watch.lateArrivals(gone, healedAt)).toEqual([]);
  for (const { arrivals, numbers } of others) {
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(Math.max(...arrivals.map(({ at, sentAt }) => at - sentAt))).toBeLessThan(MAX_AGE + 1_000);
  }
}
