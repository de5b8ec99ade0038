import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { eventually } from '../../lib/testing/eventually.js';
import { isSoak } from '../support/cluster-periods.js';
import { RoomWatch, type RoomReport } from '../support/history/room-watch.js';
import { RedisSentinel } from '../support/redis-sentinel.js';
import { TestCluster } from '../support/test-cluster.js';
import { WorkerProcess } from '../support/worker-process.js';

/** Whether there is time for what takes seconds: `npm run test:soak`, `npm run test:matrix`. */
const isLong = isSoak || process.env.PXL_MATRIX !== undefined;
const SIZE = 2_000;
const options = { rooms: { open: true, history: { size: SIZE, ttl: 600_000 } }, heartbeat: false } as const;
/** Milliseconds between two messages. */
const PACE = 4;

let cluster: TestCluster;
let watch: RoomWatch;
let rooms = 0;

beforeAll(async () => {
  cluster = await TestCluster.start({ workers: 2, options });
});

beforeEach(async () => {
  watch = await begin();
});

afterEach(async () => {
  cluster.redis.thaw();
  for (const { proxy } of cluster.nodes) proxy.heal();
  await watch.close();
});

afterAll(() => cluster.close());

function begin(): Promise<RoomWatch> {
  const { port } = cluster.redis;
  return RoomWatch.begin({ roomName: `feed ${++rooms}`, size: SIZE, port }, () => living());
}

function living(): readonly WorkerProcess[] {
  return cluster.workers.filter((worker) => !dead.has(worker));
}

const dead = new Set<WorkerProcess>();

/** Resolves once so many more messages have been appended. */
async function goesOn(messages: number, patience?: number): Promise<void> {
  const { truth } = watch;
  const until = count() + messages;
  function count(): number {
    return truth.epochs.reduce((sum, epoch) => sum + truth.said(epoch).length, 0);
  }
  await eventually('the load goes on', () => count() >= until, patience);
}

function isReady(worker: WorkerProcess): Promise<boolean> {
  return worker.run(({ service }) => service.getWebSocketHealth().ready);
}

/** Nothing was lost, and nobody was told otherwise. */
function expectWhole({ faults, told }: RoomReport): void {
  expect(faults).toEqual([]);
  expect(told).toEqual({});
}

/** Everybody was told of the new epoch once, and has all of it. */
function expectTold({ faults, told }: RoomReport): void {
  expect(faults).toEqual([]);
  expect(told).toEqual({ epoch: watch.clients.length });
}

/** The connections of the workers' subscribers: of all but the witness. */
async function cutSubscribers(): Promise<void> {
  const list = await cluster.redis.command<string>('CLIENT', 'LIST', 'TYPE', 'pubsub');
  const ids = list.split('\n').filter((line) => line !== '' && !line.includes('name=witness'));
  const kill = (line: string): Promise<unknown> =>
    cluster.redis.command('CLIENT', 'KILL', 'ID', /id=(\d+)/.exec(line)![1]!);
  await Promise.all(ids.map(kill));
}

it('members lose nothing when their subscribers are cut twenty times', async () => {
  watch.talk(PACE);
  for (let cut = 0; cut < 20; cut++) {
    await cutSubscribers();
    await goesOn(3);
  }
  const report = await watch.end();
  expectWhole(report);
  expect(report.sent).toBeGreaterThan(60);
});

it('whoever returns while the subscriber is cut waits for it, and is not refused', async () => {
  const { worker, proxy } = cluster.nodes[1]!;
  const client = await worker.client();
  let answer: unknown;
  // It waits for a second, within which a busy machine may not get the subscriber back.
  for (let isInTime = false; !isInTime;) {
    await eventually('it is ready', () => isReady(worker));
    proxy.target = 1;
    proxy.reset();
    await eventually('it is not ready', async () => !(await isReady(worker)));
    const begin = performance.now();
    const joined = client.request('system', 'joinRoom', { roomName: `new ${rooms}` }).catch((error: unknown) => error);
    await client.expectNothing();
    proxy.target = cluster.redis.port;
    answer = await joined;
    isInTime = !(answer instanceof Error) || performance.now() - begin < 1_000;
  }
  expect(answer).toMatchObject({ success: true, data: { position: { offset: 0 } } });
  expectWhole(await watch.end());
});

it('nothing is refused, lost or out of order when the scripts of Redis are flushed again and again', async () => {
  watch.talk(PACE);
  for (let flush = 0; flush < 20; flush++) {
    await cluster.redis.command('SCRIPT', 'FLUSH');
    await goesOn(3);
  }
  const report = await watch.end();
  expectWhole(report);
  expect(report.refused).toBe(0);
  const numbers = watch.truth.said(watch.truth.epoch).map(Number);
  for (const sender of [0, 1]) {
    const own = numbers.filter((number) => number % 2 === sender);
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
});

it('what was refused while Redis stood still is not in the room when it goes on', async () => {
  watch.talk(PACE);
  await goesOn(10);
  cluster.redis.freeze();
  const { text, done } = watch.say(0);
  await done;
  expect(watch.isRefused(text)).toBe(true);
  cluster.redis.thaw();
  await goesOn(10);
  const report = await watch.end();
  expectWhole(report);
  expect(watch.truth.placesOf(text)).toEqual([]);
});

it('members lose nothing when Redis cuts a subscriber because it reads too slowly', async () => {
  await cluster.redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 256kb 0 0');
  const isCut = async (): Promise<boolean> => {
    const stats = await cluster.redis.command<string>('INFO', 'stats');
    return !stats.includes('client_output_buffer_limit_disconnections:0\r');
  };
  const { proxy } = cluster.nodes[1]!;
  proxy.replies = 'hold';
  // What the network takes has to be full first.
  while (!(await isCut())) await watch.say(0, 400_000).done;
  proxy.heal();
  await cluster.redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60');
  expectWhole(await watch.end());
});

it('a worker whose network is down catches up with what the others sent', async () => {
  watch.talk(PACE);
  await goesOn(10);
  const { worker, proxy } = cluster.nodes[1]!;
  proxy.blackHole();
  await eventually('it is not ready', async () => !(await isReady(worker)));
  await goesOn(isLong ? 3_000 : 50, 60_000);
  proxy.heal();
  await eventually('it is ready', () => isReady(worker));
  const report = await watch.end();
  expect(report.faults).toEqual([]);
  // More than the room keeps, in the long run: then they are told.
  if (!isLong) expect(report.told).toEqual({});
}, 120_000);

/** As an eviction does it. */
async function evict(roomName: string): Promise<void> {
  const keys = await cluster.redis.command<string[]>('KEYS', '*');
  const key = keys.find((name) => name.includes(roomName) || decodeURIComponent(name).includes(roomName));
  expect(await cluster.redis.command('DEL', key!)).toBe(1);
}

it('who has left a room and come again hears nothing of what the room was before', async () => {
  const { worker, proxy } = cluster.nodes[1]!;
  const client = await worker.client();
  const roomName = `left ${rooms}`;
  await client.request('system', 'joinRoom', { roomName });
  await evict(roomName);
  proxy.reset();
  await eventually('it is not ready', async () => !(await isReady(worker)));
  // Now it looks at the room, and will look again in a second.
  await eventually('it is ready', () => isReady(worker));
  await client.request('system', 'leaveRoom', { roomName });
  await client.next('user', 'leftRoom');
  await client.request('system', 'joinRoom', { roomName });
  await client.expectNothing(1_300);
});

it('everybody is told when Redis has lost a room', async () => {
  watch.talk(PACE);
  await goesOn(10);
  await evict(watch.roomName);
  await goesOn(10);
  expectTold(await watch.end());
});

it.each([true, false])('everybody is told when Redis was killed (its data kept: %s)', async (keeps) => {
  watch.talk(PACE);
  await goesOn(10);
  for (const { proxy } of cluster.nodes) proxy.target = 1;
  await cluster.redis.kill();
  if (!keeps) await cluster.redis.forget();
  await cluster.redis.run();
  await watch.witness.listen(cluster.redis.port);
  for (const { proxy } of cluster.nodes) proxy.target = cluster.redis.port;
  await goesOn(20);
  expectTold(await watch.end(true));
});

it('clients of a killed worker go on at another one, and have all', async () => {
  watch.talk(PACE);
  await goesOn(20);
  const [victim] = living();
  dead.add(victim!);
  await victim!.kill();
  await cluster.add();
  await goesOn(20);
  expectWhole(await watch.end());
});

(isLong ? it : it.skip)(
  'everybody is told when a failover has lost messages',
  async () => {
    const sentinel = await RedisSentinel.start();
    const redis = { sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'main' };
    const workers = [1, 2].map(() => new WorkerProcess({ ...options, redis }));
    try {
      await Promise.all(workers.map(({ started }) => started));
      await expectToldOfFailover(sentinel, workers);
    } finally {
      await Promise.all(workers.map((worker) => worker.close()));
      await sentinel.stop();
    }
  },
  120_000,
);

async function expectToldOfFailover({ master, replica }: RedisSentinel, workers: WorkerProcess[]): Promise<void> {
  const failing = await RoomWatch.begin({ roomName: 'failing', size: SIZE, port: master.port }, () => workers);
  try {
    const { truth, witness } = failing;
    await witness.listen(replica.port, true);
    failing.talk(PACE);
    await eventually('the load goes on', () => truth.topOf(truth.epoch) > 20);
    // From now on the replica gets nothing.
    await replica.command('REPLICAOF', '127.0.0.1', '1');
    const top = truth.topOf(truth.epoch);
    await eventually('the master takes more', () => truth.topOf(truth.epoch) > top + 20);
    await master.kill();
    await eventually('there is another epoch', () => truth.epochs.length > 1, 60_000);
    const { faults, told } = await failing.end(true);
    expect(faults).toEqual([]);
    expect(told).toEqual({ epoch: failing.clients.length });
  } finally {
    await failing.close();
  }
}
