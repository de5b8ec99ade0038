import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ClientManager,
  WebSocketService,
  type PxlWebSocketModuleOptions,
  type WsMemberList,
  type WsPresencePush,
} from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { LEASE, PROBE } from '../support/cluster-periods.js';
import { formerWorker } from '../support/former/former-version.js';
import { RedisServer } from '../support/redis-server.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { urlIdentity } from '../support/url-identity.js';
import { WorkerProcess } from '../support/worker-process.js';

/** How long members stay, ms: in most rooms, and where an application has to start meanwhile. */
const [GRACE, PATIENT] = [2_000, 8_000];
const SPREAD = 100;
/** Who judges others has renewed its own lease in time for the length of a lease: on a busy machine that takes some of them. */
const PATIENCE = 30 * LEASE;
const TIMEOUT = PATIENCE + 30_000;
const RULES = { by: 'client', grace: GRACE, interval: 20 } as const;

/** A client with what its welcome has said. */
interface Member {
  readonly client: TestClient;
  readonly clientId: string;
  readonly resume: string;
  readonly resumed: boolean | undefined;
}

let redis: RedisServer;
let common: PxlWebSocketModuleOptions;
let one: TestApp;
let two: TestApp;
/** A worker in a process of its own. */
let victim: WorkerProcess;
/** One that knows nothing of presence; undefined in a shallow clone. */
let old: WorkerProcess | undefined;
const open: TestClient[] = [];
let rooms = 0;

beforeAll(async () => {
  redis = await RedisServer.start();
  common = {
    redis: redis.url,
    cluster: { lease: LEASE, probe: PROBE },
    shutdown: { reconnectSpread: SPREAD },
  };
  victim = new WorkerProcess({ ...common, rooms: { open: true, presence: RULES } });
  const former = formerWorker('without presence');
  old = former && new WorkerProcess({ ...common, rooms: { open: true } }, former);
  [one, two] = await Promise.all([startWorker(), startWorker()]);
  await victim.started;
  await old?.started;
  await until('the workers know each other', () => [one, two].every((worker) => workersOf(worker) === (old ? 4 : 3)));
});

afterEach(() => Promise.all(open.splice(0).map((client) => client.close())));

afterAll(async () => {
  await Promise.all([one, two, victim].map((worker) => worker.close()));
  await old?.close();
  await redis.stop();
});

function startWorker(): Promise<TestApp> {
  const presence = (name: string): object => (name.startsWith('patient') ? { ...RULES, grace: PATIENT } : RULES);
  return startApp({ options: { ...common, auth: { authenticate: urlIdentity }, rooms: { open: true, presence } } });
}

/** How many workers it knows, itself included. */
function workersOf({ app }: TestApp): number {
  return app.get(WebSocketService).getWebSocketHealth().cluster.workers;
}

/** Resolves once the workers know a client of another one. */
async function known({ clientId }: Member, workers: readonly TestApp[] = [one, two]): Promise<void> {
  const isKnown = ({ app }: TestApp): boolean => app.get(ClientManager).getClient({ clientId }) !== undefined;
  await until('the client is known', () => workers.every(isKnown));
}

async function connect(worker: TestApp | WorkerProcess, query: Record<string, string> = {}): Promise<Member> {
  const url = worker instanceof WorkerProcess ? worker.url() : worker.url('/ws?');
  const client = await TestClient.open(`${url}${new URLSearchParams(query).toString()}`, { patience: 2 * PATIENT });
  open.push(client);
  const { data } = await client.next('system', 'connected');
  if (query.userId !== undefined) await client.next('auth', 'authenticated');
  return { client, ...(data as Omit<Member, 'client'>) };
}

async function member(
  worker: TestApp | WorkerProcess,
  roomName: string,
  query?: Record<string, string>,
): Promise<Member> {
  const one = await connect(worker, query);
  await one.client.join(roomName);
  return one;
}

async function told(client: TestClient): Promise<WsPresencePush> {
  return (await client.next('room', 'presence')).data as WsPresencePush;
}

/** Takes what a watcher is told until the room has so many members, and returns the ids of those who left. */
async function untilCount(client: TestClient, count: number): Promise<string[]> {
  const left: string[] = [];
  for (;;) {
    const push = await told(client);
    left.push(...(push.left ?? []).map(({ clientId = '' }) => clientId));
    if (push.count === count) return left;
  }
}

async function listOf(client: TestClient, roomName: string): Promise<WsMemberList> {
  return (await client.request('system', 'members', { roomName })) as WsMemberList;
}

/** Watchers of a new room, one on each worker, who know of each other. */
async function watch(kind = 'room'): Promise<{ room: string; watchers: TestClient[] }> {
  const room = `${kind} ${++rooms}`;
  const watchers: TestClient[] = [];
  for (const worker of [one, two]) {
    const { client } = await connect(worker);
    const wish = { roomName: room, presence: true };
    const { data } = (await client.request('system', 'joinRoom', wish)) as { data: WsMemberList };
    watchers.push(client);
    const { length } = watchers;
    if (data.count < length) await untilCount(client, length);
    for (const earlier of watchers.slice(0, -1)) await untilCount(earlier, length);
  }
  return { room, watchers };
}

/** Somebody else joins: that is all that the watchers have been told. */
async function expectSilence(room: string, watchers: readonly TestClient[], worker: TestApp): Promise<void> {
  const { clientId } = await member(worker, room);
  for (const watcher of watchers) {
    const { joined, left, updated } = await told(watcher);
    expect([joined?.map((one) => one.clientId), left, updated]).toEqual([[clientId], undefined, undefined]);
  }
}

describe('A member whose connection was lost', () => {
  it('is back on another worker within its grace: nobody is told', async () => {
    const { room, watchers } = await watch();
    const ada = await member(one, room);
    for (const watcher of watchers) await untilCount(watcher, 3);
    await ada.client.request('system', 'presence', { roomName: room, state: 'writing' });
    for (const watcher of watchers) expect((await told(watcher)).updated).toMatchObject([{ state: 'writing' }]);
    ada.client.socket.terminate();
    const again = await connect(two, { resume: ada.resume });
    expect(again.resumed).toBe(true);
    expect(again.resume).not.toBe(ada.resume);
    await again.client.join(room);
    await Promise.all(watchers.map((watcher) => watcher.expectNothing(GRACE + 300)));
    await expectSilence(room, watchers, one);
    for (const watcher of watchers) {
      const { members } = await listOf(watcher, room);
      expect(members.find(({ clientId }) => clientId === ada.clientId)).toMatchObject({ clients: 1, state: 'writing' });
    }
  });

  it('leaves once on every worker when its grace is over', async () => {
    const { room, watchers } = await watch();
    const ada = await member(one, room);
    for (const watcher of watchers) await untilCount(watcher, 3);
    const begin = performance.now();
    ada.client.socket.terminate();
    for (const watcher of watchers) {
      expect(await told(watcher)).toMatchObject({ left: [{ clientId: ada.clientId }], count: 2 });
    }
    expect(performance.now() - begin).toBeGreaterThan(GRACE - 100);
    const again = await connect(two, { resume: ada.resume });
    expect(again.resumed).toBe(false);
  });

  it('is gone at once when it has closed its connection, or has left', async () => {
    const { room, watchers } = await watch('patient');
    const [ada, bob] = [await member(one, room), await member(one, room)];
    for (const watcher of watchers) await untilCount(watcher, 4);
    const begin = performance.now();
    await ada.client.close();
    await bob.client.request('system', 'leaveRoom', { roomName: room });
    for (const watcher of watchers)
      expect((await untilCount(watcher, 2)).sort()).toEqual([ada.clientId, bob.clientId].sort());
    expect(performance.now() - begin).toBeLessThan(PATIENT);
  });

  it('is back while its former connection still looks alive, on any worker: that one is closed, and nobody is told', async () => {
    const { room, watchers } = await watch();
    const ada = await member(one, room);
    for (const watcher of watchers) await untilCount(watcher, 3);
    let former = ada;
    for (const worker of [two, two, one]) {
      await known(former);
      const again = await connect(worker, { resume: former.resume });
      expect(again.resumed).toBe(true);
      expect(await former.client.closed).toEqual({ code: 4506, reason: 'replaced by a newer connection' });
      await again.client.join(room);
      former = again;
    }
    await Promise.all(watchers.map((watcher) => watcher.expectNothing(GRACE + 300)));
    await expectSilence(room, watchers, two);
  });
});

describe('What a client presents', () => {
  it('makes it a former member once, of the same user, and as it was given', async () => {
    const ada = await connect(one, { userId: 'ada' });
    await known(ada);
    const asked = async (query: Record<string, string>): Promise<unknown> => (await connect(two, query)).resumed;
    const forged = `${ada.resume.slice(0, -1)}${ada.resume.endsWith('A') ? 'B' : 'A'}`;
    for (const resume of [forged, '', 'x'.repeat(10_000), '%', '{}', ada.clientId]) {
      expect(await asked({ userId: 'ada', resume })).toBe(false);
    }
    expect(await asked({ userId: 'bob', resume: ada.resume })).toBe(false);
    expect(await asked({ resume: ada.resume })).toBe(false);
    expect(await asked({ userId: 'ada' })).toBeUndefined();
    expect(ada.client.socket.readyState).toBe(1);
    expect(await asked({ userId: 'ada', resume: ada.resume })).toBe(true);
    expect(await asked({ userId: 'ada', resume: ada.resume })).toBe(false);
    const metrics = two.app.get(WebSocketService).getMetrics();
    const countOf = (name: string): number =>
      metrics.find((one) => one.name === `pxl_ws_presence_${name}_total`)!.value;
    expect(countOf('resumed')).toBeGreaterThanOrEqual(1);
    expect(countOf('resumes_refused')).toBeGreaterThanOrEqual(9);
  });
});

it(
  'Redis that was away and has lost its data: who has left meanwhile is told once, and nothing of those who stayed',
  async () => {
    const { room, watchers } = await watch();
    const [ada, bob] = [await member(one, room), await member(one, room)];
    for (const watcher of watchers) await untilCount(watcher, 4);
    await redis.kill();
    await redis.forget();
    await bob.client.close();
    await redis.run();
    for (const watcher of watchers) {
      expect(await told(watcher)).toMatchObject({ left: [{ clientId: bob.clientId }], count: 3 });
    }
    await watchers[1]!.expectNothing(LEASE);
    expect(watchers[0]!.pending).toEqual([]);
    expect(ada.client.socket.readyState).toBe(1);
  },
  TIMEOUT,
);

describe('When a worker ends', () => {
  it(
    'in peace, its members come back unnoticed, also to a worker that starts meanwhile and shows them before',
    async () => {
      const leaving = await startWorker();
      const { room, watchers } = await watch('patient');
      const [ada, bob, eve] = [await connect(leaving), await connect(leaving), await connect(leaving)];
      for (const { client } of [ada, bob, eve]) {
        await client.request('system', 'joinRoom', { roomName: room, state: 'writing' });
      }
      for (const watcher of watchers) await untilCount(watcher, 5);
      const begin = performance.now();
      const closed = leaving.close();
      for (const { client } of [ada, bob, eve]) expect((await client.closed).code).toBe(1012);
      await closed;
      const fresh = await startWorker();
      const newcomer = await member(fresh, room);
      const { members } = await listOf(newcomer.client, room);
      expect(members).toHaveLength(6);
      for (const { clientId } of [ada, bob, eve]) {
        expect(members.find((one) => one.clientId === clientId)).toMatchObject({ clients: 0, state: 'writing' });
      }
      for (const [former, worker] of [
        [ada, fresh],
        [bob, two],
      ] as const) {
        const again = await connect(worker, { resume: former.resume });
        expect(again.resumed).toBe(true);
        await again.client.join(room);
      }
      for (const watcher of watchers) {
        expect(await told(watcher)).toMatchObject({ joined: [{ clientId: newcomer.clientId }], count: 6 });
        expect(await told(watcher)).toEqual({
          roomName: room,
          left: [expect.objectContaining({ clientId: eve.clientId })],
          count: 5,
        });
      }
      expect(performance.now() - begin).toBeGreaterThan(PATIENT);
      await eventually('the new worker agrees', async () => (await listOf(newcomer.client, room)).count === 5);
      await eventually('nobody is kept', async () => (await redis.command('HLEN', 'pxl:absent')) === 0);
      await fresh.close();
    },
    TIMEOUT,
  );

  it(
    'by a crash, who comes back is not missed, and of the others each leave is told once',
    async () => {
      const { room, watchers } = await watch();
      const members: Member[] = [];
      for (let at = 0; at < 6; at++) members.push(await member(victim, room));
      for (const watcher of watchers) await untilCount(watcher, 8);
      const comeBack = async ({ resume }: Member, worker: TestApp): Promise<void> => {
        const again = await connect(worker, { resume });
        expect(again.resumed).toBe(true);
        await again.client.join(room);
      };
      const others = workersOf(one) - 1;
      await victim.kill();
      for (const former of members.slice(0, 2)) await comeBack(former, one);
      await until('it is taken for dead', () => [one, two].every((worker) => workersOf(worker) === others), PATIENCE);
      for (const former of members.slice(2, 4)) await comeBack(former, two);
      const gone = members.slice(4).map(({ clientId }) => clientId);
      for (const watcher of watchers) {
        const left: string[] = [];
        while (left.length < gone.length) {
          const push = await told(watcher);
          expect([push.joined, push.updated]).toEqual([undefined, undefined]);
          left.push(...push.left!.map(({ clientId = '' }) => clientId));
        }
        expect(left.sort()).toEqual(gone.sort());
      }
      await expectSilence(room, watchers, two);
    },
    TIMEOUT,
  );
});

it('beside a worker that knows nothing of presence, its members are shown by what is known, and it understands all', async () => {
  if (!old) return;
  const worker = old;
  const { room, watchers } = await watch();
  const bob = await member(worker, room);
  for (const watcher of watchers) {
    expect(await told(watcher)).toEqual({
      roomName: room,
      joined: [{ clientId: bob.clientId, joinedAt: expect.any(String) }],
      count: 3,
    });
  }
  const ada = await member(one, room);
  for (const watcher of watchers) await untilCount(watcher, 4);
  for (const state of ['writing', 'away']) {
    await ada.client.request('system', 'presence', { roomName: room, state });
    for (const watcher of watchers) expect((await told(watcher)).updated).toMatchObject([{ state }]);
  }
  const known = (): Promise<number> =>
    worker.run(({ rooms }, roomName) => rooms.getRoomClients({ roomName }).length, room);
  await eventually('the old one knows the members', async () => (await known()) === 4);
  ada.client.socket.terminate();
  await eventually('it has gone there', async () => (await known()) === 3);
  const { metrics } = await worker.run(({ service }) => ({ metrics: service.getMetrics() }));
  expect(metrics.filter(({ name, value }) => /hint_gaps|hints_junk/.test(name) && value > 0)).toEqual([]);
  await worker.stop();
  for (const watcher of watchers) await untilCount(watcher, 2);
});
