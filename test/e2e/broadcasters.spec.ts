import { afterAll, beforeAll, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import {
  PXL_WS_BROADCASTER,
  PxlWebSocketModule,
  WsError,
  type WsBroadcaster,
  type PxlWebSocketModuleOptions,
  type WsRedisOption,
} from 'nestjs-pxl-websocket';
import { ConcurrencyLimit } from '../../lib/runtime/concurrency-limit.js';
import { WorkerIdentity } from '../../lib/runtime/worker-identity.js';
import { describeBroadcaster, type BusWorker, type SuiteRunner, type TestedBus } from 'nestjs-pxl-websocket/testing';
import { Logbook } from '../support/logbook.js';
import { Hub, type HubBroadcaster } from '../support/hub-broadcaster.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const PROBE = 100;

let server: RedisServer;
let cluster: RedisCluster;
let buses = 0;
/** How often workers have lost their Redis that nobody had cut off. */
let losses = 0;
const cutOff = new Set<WsBroadcaster>();

beforeAll(async () => {
  [server, cluster] = await Promise.all([RedisServer.start(), RedisCluster.start()]);
});

afterAll(() => Promise.all([server.stop(), cluster.stop()]));

/** A worker as the module makes it; the test starts and stops its broadcaster itself. */
async function workerWith(options: PxlWebSocketModuleOptions): Promise<BusWorker> {
  const module = await Test.createTestingModule({ imports: [PxlWebSocketModule.forRoot(options)] })
    .setLogger(new Logbook())
    .compile();
  const broadcaster = module.get<WsBroadcaster>(PXL_WS_BROADCASTER);
  broadcaster.onChange((isReady) => {
    if (!isReady && !cutOff.has(broadcaster)) losses++;
  });
  return { broadcaster, workerId: module.get(WorkerIdentity).workerId };
}

/** Each worker has a network of its own, which leads to all of these Redis. */
function redisBus(
  ports: () => readonly number[],
  redisThrough: (proxies: readonly TcpProxy[]) => WsRedisOption,
  mayHearMore = false,
): TestedBus {
  const prefix = `bus${++buses}`;
  const networks = new Map<WsBroadcaster, readonly TcpProxy[]>();
  return {
    mayHearMore,
    async join() {
      const proxies = await Promise.all(ports().map((port) => TcpProxy.before(port)));
      const worker = await workerWith({ redis: redisThrough(proxies), prefix, cluster: { probe: PROBE } });
      networks.set(worker.broadcaster, proxies);
      return worker;
    },
    cutOff({ broadcaster }) {
      const proxies = networks.get(broadcaster)!;
      cutOff.add(broadcaster);
      for (const proxy of proxies) proxy.blackHole();
      return () => proxies.forEach((proxy) => proxy.heal());
    },
    stop: () => Promise.all([...networks.values()].flat().map((proxy) => proxy.close())),
  };
}

function singleBus(): TestedBus {
  return redisBus(
    () => [server.port],
    ([proxy]) => `redis://127.0.0.1:${proxy!.port}`,
  );
}

function clusterBus(sharded: boolean): TestedBus {
  const ports = (): number[] => cluster.nodes.map(({ port }) => port);
  const host = '127.0.0.1';
  const through = (proxies: readonly TcpProxy[]): WsRedisOption => ({
    cluster: proxies.map(({ port }) => ({ host, port })),
    options: {
      natMap: Object.fromEntries(ports().map((port, at) => [`${host}:${port}`, { host, port: proxies[at]!.port }])),
    },
    sharded,
  });
  return redisBus(ports, through, sharded);
}

function hubBus(): TestedBus {
  const hub = new Hub();
  let workers = 0;
  return {
    join() {
      const broadcaster = hub.join(`worker0${++workers}`);
      return { broadcaster, workerId: broadcaster.workerId };
    },
    cutOff: ({ broadcaster }) => (broadcaster as HubBroadcaster).cutOff(),
  };
}

let suite = '';
/** With more at once each has less of the process, and on a busy machine too little for its deadlines. */
const atOnce = new ConcurrencyLimit(2);
/** Each test has a bus of its own: they need not wait for each other, nor do the suites. */
const concurrent: SuiteRunner = {
  describe(name, body) {
    suite = name;
    body();
  },
  it(title, test) {
    it.concurrent(`${suite} ${title}`, async () => {
      const [result] = await atOnce.take(() => Promise.allSettled([passes(test)]));
      if (result.status === 'rejected') throw result.reason;
    });
  },
};

/**
 * On a busy machine Redis may need longer for a command or a subscription than it is waited for, and a worker whose probe was late
 * connects anew, and does not hear what is published meanwhile: once is no fault.
 */
async function passes(test: () => Promise<void>): Promise<void> {
  const before = losses;
  try {
    await test();
  } catch (why) {
    if (losses === before && !(why instanceof WsError && why.retryable)) throw why;
    await test();
  }
}

// The one with the longest tests goes first.
describeBroadcaster('A Redis Cluster of three nodes, sharded', () => clusterBus(true), concurrent);
describeBroadcaster('A Redis Cluster of three nodes', () => clusterBus(false), concurrent);
describeBroadcaster('Redis', singleBus, concurrent);
describeBroadcaster('A hub in one process', hubBus, concurrent);
