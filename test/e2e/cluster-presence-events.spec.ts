import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WsMember, WsPresentMembers } from 'nestjs-pxl-websocket';
import { bucketKey, bucketOf } from '../../lib/cluster/subjects/buckets.js';
import { RegistryKeys } from '../../lib/cluster/registry/registry-keys.js';
import { LEASE } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { TestClient } from '../support/test-client.js';
import { TestCluster, type ClusterNode } from '../support/test-cluster.js';
import type { TestUser } from '../support/url-identity.js';
import type { WorkerProcess } from '../support/worker-process.js';

const GRACE = 2_500;
const SPREAD = 200;
const PATIENCE = 60_000;
const TIMEOUT = 2 * PATIENCE;
const EVENTS = ['roomOccupied', 'roomVacated', 'presenceJoined', 'presenceLeft'];

const options = {
  rooms: {
    open: true,
    presence: { grace: GRACE },
  },
  shutdown: { reconnectSpread: SPREAD },
  cluster: { lastSeen: 60_000 },
};

let cluster: TestCluster;
/** Hears everything, and stays. */
let witness: WorkerProcess;
const clients: TestClient[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start({ workers: 3, options });
  witness = cluster.workers[0]!;
}, TIMEOUT);

afterAll(async () => {
  for (const { socket } of clients) socket.terminate();
  await cluster.close();
});

function nodesBesides(): [ClusterNode, ClusterNode] {
  const [one, two] = cluster.nodes.slice(-2);
  return [one!, two!];
}

function living(): WorkerProcess[] {
  return [witness, ...nodesBesides().map(({ worker }) => worker)];
}

async function connect(worker: WorkerProcess, user?: TestUser, resume = ''): Promise<Joined> {
  const url = worker.url(user);
  const client = await TestClient.open(`${url}${resume && `&resume=${resume}`}`, { patience: 15_000 });
  clients.push(client);
  const { data } = await client.next('system', 'connected');
  const { clientId, resume: secret } = data as { clientId: string; resume: string };
  return Object.assign(client, { id: clientId, secret });
}

async function join(worker: WorkerProcess, roomName: string, user?: TestUser, resume?: string): Promise<Joined> {
  const client = await connect(worker, user, resume);
  await client.request('system', 'joinRoom', { roomName });
  return client;
}

type Joined = TestClient & { readonly id: string; readonly secret: string };

/** What a worker was told of a room, as `<event> <member>`. */
function toldOf(roomName: string, worker = witness): string[] {
  return worker.events
    .filter(({ channel, message }) => EVENTS.includes(channel) && message.roomName === roomName)
    .map(({ channel, message }) => {
      const { userId, clientId } = (message.member ?? {}) as WsMember;
      return [channel, ...[userId ?? clientId ?? []].flat()].join(' ');
    });
}

async function expectTold(roomName: string, ...expected: string[]): Promise<void> {
  await eventually(`${expected.length} events of ${roomName}`, () => toldOf(roomName).length >= expected.length);
  expect(toldOf(roomName)).toEqual(expected);
}

/**
 * Resolves once so many workers have told Redis of a room and of its one member: one that told it after the others had let go
 * would make the member come again.
 */
async function allHave(roomName: string, workers: number): Promise<void> {
  const pattern = bucketKey('pxl', 'rooms', bucketOf(roomName), '*');
  await eventually(`${workers} workers have told of ${roomName}`, async () => {
    const keys = await cluster.redis.command<string[]>('KEYS', pattern);
    const holders = await Promise.all(keys.map((key) => cluster.redis.command<string[]>('HVALS', key)));
    const counts = holders.flat().map((entries) => entries.trim().split(' ').length);
    return counts.length === 2 && counts.every((count) => count === workers);
  });
}

/** Resolves once a worker knows so many members of a room: it may be later than others to hear of them. */
async function knows(worker: WorkerProcess, room: string, members: number): Promise<void> {
  const count = (): Promise<{ count: number }> =>
    worker.run(({ service }, of) => service.countMembers(of.room), { room });
  await eventually(`the worker knows ${members} members of ${room}`, async () => (await count()).count === members);
}

/** Resolves when a member of a room of its own, whose connection is lost now, is told to have left: the others' grace is over. */
async function graceIsOver(worker = witness): Promise<void> {
  const roomName = `clock ${Math.random()}`;
  const clock = await join(worker, roomName, { userId: 'clock' });
  await eventually('the clock runs', () => toldOf(roomName).length === 2);
  clock.socket.terminate();
  await eventually('the clock has stopped', () => toldOf(roomName).length === 4);
}

/** What is in Redis of incarnations whose data somebody has to remove. */
async function deadRemains(): Promise<string[]> {
  const fields = await cluster.redis.command<string[]>('HKEYS', new RegistryKeys('pxl').leases);
  return fields.filter((field) => field.startsWith('dead:'));
}

describe('On whichever worker it is asked', () => {
  const tell = { room: 'board' };

  it('the service tells of the members of all, page by page, and of what a user is in', async () => {
    const [one, two] = cluster.workers as [WorkerProcess, WorkerProcess];
    const ada = [await join(one, 'board', { userId: 'ada' }), await join(two, 'board', { userId: 'ada' })];
    const nobody = await join(two, 'board');
    await join(one, 'other board', { userId: 'ada' });
    for (const worker of cluster.workers) {
      const read = (): Promise<WsPresentMembers> =>
        worker.run(({ service }, { room }) => service.getMembers(room), tell);
      await eventually('the worker knows all', async () => {
        const { members } = await read();
        return members.length === 2 && members.some(({ clients }) => clients === 2);
      });
      const { members, count, partial } = await read();
      expect([members.length, count, partial]).toEqual([2, 2, false]);
      const [user, single] = members.toSorted((a, b) => b.clients - a.clients);
      expect(user).toEqual({ userId: 'ada', clients: 2, clientIds: expect.any(Array), joinedAt: expect.any(String) });
      expect([...user!.clientIds].sort()).toEqual(ada.map(({ id }) => id).sort());
      expect(single).toMatchObject({ clientId: nobody.id, clients: 1, clientIds: [nobody.id] });
      const asked = await worker.run(async ({ service }, { room }) => {
        const first = await service.getMembers(room, { limit: 1 });
        const id = first.members[0]!.clientId ?? first.members[0]!.userId;
        const rest = await service.getMembers(room, { limit: 5, after: id });
        return {
          pages: [first, rest].map((page) => [page.members.length, page.count]),
          count: await service.countMembers(room),
          online: [await service.isUserOnline('ada'), await service.isUserOnline('nobody')],
          rooms: await service.getUserRooms('ada'),
          never: await service.lastSeen('nobody'),
          seen: Date.now() - (await service.lastSeen('ada')).at!,
        };
      }, tell);
      expect(asked).toEqual({
        pages: [
          [1, 2],
          [1, 2],
        ],
        count: { count: 2, partial: false },
        online: [
          { online: true, partial: false },
          { online: false, partial: false },
        ],
        rooms: { rooms: ['board', 'other board'], partial: false },
        never: { at: null, partial: false },
        seen: expect.any(Number),
      });
      expect(Math.abs(asked.seen)).toBeLessThan(5_000);
    }
  });

  it('the service sets the state of a user and of a client, where they are members', async () => {
    const [one, two, three] = cluster.workers as [WorkerProcess, WorkerProcess, WorkerProcess];
    await connect(one, { userId: 'idle' });
    const anonymous = await join(two, 'states');
    await join(two, 'states', { userId: 'ada' });
    await knows(three, 'states', 2);
    const ids = { clientId: anonymous.id };
    await three.run(async ({ service }, { clientId }) => {
      await service.setPresence({ userId: 'ada', room: 'states', state: 'away' });
      await service.setPresence({ userId: 'idle', room: 'states', state: 'away' });
      await service.setPresence({ clientId, room: 'states', state: { deep: [1] } });
    }, ids);
    const states = (): Promise<unknown[]> =>
      one.run(async ({ service }) => (await service.getMembers('states')).members.map(({ state }) => state));
    await eventually(
      'both have a state',
      async () => (await states()).filter((state) => state !== undefined && state !== null).length === 2,
    );
    expect((await states()).toSorted((a) => (a === 'away' ? -1 : 1))).toEqual(['away', { deep: [1] }]);
    await three.run(({ service }) => service.setPresence({ userId: 'ada', room: 'states', state: null }));
    await eventually('one has none', async () => (await states()).filter((state) => state === 'away').length === 0);
  });

  it('refuses what it cannot do, and changes nothing', async () => {
    const codes = await witness.run(async ({ service }) => {
      const refusals: Promise<unknown>[] = [
        service.setPresence({ userId: 'ada', room: 'states', state: 'x'.repeat(257) }),
        service.setPresence({ userId: 'ada', room: 'states', state: () => 1 }),
        service.setPresence({ userId: 'ada', room: 'states', state: undefined }),
        service.setPresence({ room: 'states', state: 1 } as never),
        service.setPresence({ userId: 'ada', clientId: 'x', room: 'states', state: 1 } as never),
        service.setPresence({ userId: 'ada', room: '', state: 1 }),
        service.getMembers('states', { limit: 0 }),
        service.getMembers('states', { after: 1 } as never),
        service.getMembers('states', { offset: 1 } as never),
        service.countMembers(7 as never),
        service.isUserOnline(''),
        service.getUserRooms(null as never),
        service.lastSeen({} as never),
      ];
      const results = await Promise.allSettled(refusals);
      return results.map((result) =>
        result.status === 'rejected' ? (result.reason as { code?: string }).code : 'done',
      );
    });
    expect(codes).toEqual(codes.map(() => 'BAD_MESSAGE'));
  });

  it('a user was last seen when its last session ended, on any worker', async () => {
    const [one, two, three] = cluster.workers as [WorkerProcess, WorkerProcess, WorkerProcess];
    const sessions = [await connect(one, { userId: 'guest' }), await connect(two, { userId: 'guest' })];
    const begin = Date.now();
    sessions[0]!.socket.close(1000);
    sessions[1]!.socket.terminate();
    const ask = (): Promise<{ at: number | null; online: boolean }> =>
      three.run(async ({ service }) => {
        const { online } = await service.isUserOnline('guest');
        return { online, at: (await service.lastSeen('guest')).at };
      });
    await eventually('it is gone', async () => {
      const { online, at } = await ask();
      return !online && at !== null;
    });
    const { at } = await ask();
    expect(at).toBeGreaterThan(begin - 1_000);
    expect(at).toBeLessThan(Date.now() + 1_000);
    const key = 'pxl:seen:guest';
    expect(await cluster.redis.command<number>('PTTL', key)).toBeGreaterThan(50_000);
  });
});

describe('A member of a cluster', () => {
  it(
    'comes once and goes once, on every worker, however many have it',
    async () => {
      const [one, two, three] = cluster.workers as [WorkerProcess, WorkerProcess, WorkerProcess];
      const sessions = await Promise.all([one, two, three].map((worker) => join(worker, 'tea', { userId: 'ada' })));
      await expectTold('tea', 'roomOccupied', 'presenceJoined ada');
      await allHave('tea', sessions.length);
      for (const { socket } of sessions) socket.close(1000);
      await expectTold('tea', 'roomOccupied', 'presenceJoined ada', 'presenceLeft ada', 'roomVacated');
      for (const worker of [two, three]) {
        await eventually('all hear the same', () => toldOf('tea', worker).join() === toldOf('tea').join());
      }
      const heard = cluster.workers.flatMap(({ events }) => events.filter(({ message }) => message.roomName === 'tea'));
      for (const event of EVENTS) {
        expect(
          heard
            .filter(({ channel }) => channel === event)
            .map(({ isResponsible }) => isResponsible)
            .sort(),
        ).toEqual([false, false, true]);
      }
    },
    TIMEOUT,
  );

  it(
    'that loses its connection and comes back elsewhere within its grace is nobody’s news, by its user or by its secret',
    async () => {
      const [, two, three] = cluster.workers as [WorkerProcess, WorkerProcess, WorkerProcess];
      const before = await Promise.all([
        join(two, 'milk', { userId: 'ada' }),
        join(two, 'milk'),
        join(two, 'milk', { userId: 'bob' }),
      ]);
      await eventually('they are there', () => toldOf('milk').length === 4);
      await knows(three, 'milk', 3);
      for (const { socket } of before) socket.terminate();
      const back = [
        await join(three, 'milk', { userId: 'ada' }),
        await join(three, 'milk', undefined, before[1].secret),
      ];
      await eventually('bob has gone', () => toldOf('milk').length === 5);
      expect(toldOf('milk').at(-1)).toBe('presenceLeft bob');
      // Now they are on the other worker alone.
      for (const { socket } of back) socket.close(1000);
      await eventually('all have gone', () => toldOf('milk').length === 8);
      expect(toldOf('milk').slice(5).sort()).toEqual(
        ['presenceLeft ada', `presenceLeft ${before[1].id}`, 'roomVacated'].sort(),
      );
      expect(toldOf('milk').at(-1)).toBe('roomVacated');
    },
    TIMEOUT,
  );

  it(
    'whose worker is killed goes once, after lease and grace, and one whose worker stops, after its grace, unless it has come back',
    async () => {
      const [{ worker: victim }, { worker: stopping }] = nodesBesides();
      const users = Array.from({ length: 20 }, (_, n) => ({ userId: `user ${n}` }));
      const guests = Array.from({ length: 10 }, (_, n) => ({ userId: `guest ${n}` }));
      const anonymous = await Promise.all([join(victim, 'crowd'), join(victim, 'crowd')]);
      await Promise.all(users.map((user) => join(victim, 'crowd', user)));
      await Promise.all(guests.map((user) => join(stopping, 'deploy', user)));
      await eventually('all are there', () => toldOf('crowd').length === 23 && toldOf('deploy').length === 11);
      await knows(witness, 'crowd', 22);
      const begin = performance.now();
      const stopped = stopping.stop();
      await victim.kill();
      // Theirs has begun; that of the others begins when their worker is taken for dead.
      await eventually('clients are closed', () => clients.every(({ socket }) => socket.readyState !== socket.CLOSING));
      await Promise.all(guests.slice(0, 5).map((user) => join(witness, 'deploy', user)));
      await Promise.all(users.slice(0, 10).map((user) => join(witness, 'crowd', user)));
      await join(witness, 'crowd', undefined, anonymous[0].secret);
      await stopped;
      await eventually('five have gone', () => toldOf('deploy').length >= 16, PATIENCE);
      expect(performance.now() - begin).toBeGreaterThan(GRACE);
      expect(toldOf('deploy').slice(11).sort()).toEqual(guests.slice(5).map(({ userId }) => `presenceLeft ${userId}`));
      await eventually('eleven have gone', () => toldOf('crowd').length >= 34, PATIENCE);
      expect(performance.now() - begin).toBeGreaterThan(LEASE / 2 + GRACE);
      const gone = [...users.slice(10).map(({ userId }) => userId), anonymous[1].id];
      expect(toldOf('crowd').slice(23).sort()).toEqual(gone.map((id) => `presenceLeft ${id}`).sort());
      const lastSeen = async (): Promise<number | null> =>
        (await witness.run(({ service }) => service.lastSeen('user 15'))).at;
      await eventually('it is written when they were seen', async () => (await lastSeen()) !== null);
      expect(await lastSeen()).toBeLessThan(Date.now() - GRACE);
      await eventually('nothing is left of them', async () => (await deadRemains()).length === 0, PATIENCE);
      await Promise.all([cluster.add(), cluster.add()]);
    },
    TIMEOUT,
  );

  it(
    'that is there while Redis loses its data is nobody’s news, and goes once',
    async () => {
      const [{ worker: one }, { worker: two }] = nodesBesides();
      const here = await Promise.all([
        join(one, 'flood', { userId: 'ada' }),
        join(two, 'flood', { userId: 'ada' }),
        join(two, 'flood', { userId: 'bob' }),
      ]);
      await eventually('they are there', () => toldOf('flood').length === 3);
      await cluster.redis.kill();
      await cluster.redis.forget();
      here[0].socket.close(1000);
      await cluster.redis.run();
      await cluster.converged(living(), 30_000);
      here[2].socket.terminate();
      await eventually('bob has gone', () => toldOf('flood').length >= 4, PATIENCE);
      expect(toldOf('flood').slice(3)).toEqual(['presenceLeft bob']);
      here[1].socket.close(1000);
      await eventually('ada has gone', () => toldOf('flood').length >= 6, PATIENCE);
      expect(toldOf('flood').slice(4)).toEqual(['presenceLeft ada', 'roomVacated']);
    },
    TIMEOUT,
  );

  it(
    'of a worker that is cut off goes once where it is not elsewhere, and comes again with its worker',
    async () => {
      const [{ worker: cut, proxy }, { worker: other }] = nodesBesides();
      await Promise.all(['ada', 'bob'].map((userId) => join(cut, 'island', { userId })));
      await join(other, 'island', { userId: 'bob' });
      await eventually('they are there', () => toldOf('island').length === 3);
      proxy.blackHole();
      await eventually('ada has gone', () => toldOf('island').length >= 4, PATIENCE);
      expect(toldOf('island').slice(3)).toEqual(['presenceLeft ada']);
      proxy.heal();
      await eventually('ada is back', () => toldOf('island').length >= 5, PATIENCE);
      expect(toldOf('island').slice(4)).toEqual(['presenceJoined ada']);
    },
    TIMEOUT,
  );

  it(
    'of a worker that was cut off for less than its grace after its lease is nobody’s news',
    async () => {
      const [{ worker: cut, proxy }, { worker: other }] = nodesBesides();
      await cluster.converged(living(), 30_000);
      await join(cut, 'peninsula', { userId: 'ada' });
      await eventually('it is there', () => toldOf('peninsula').length === 2);
      const lost = other.events.length;
      proxy.blackHole();
      await eventually(
        'its worker is dead',
        () => {
          const ends = other.events.slice(lost).filter(({ channel }) => channel === 'clientLeftRoom');
          return ends.some(({ message }) => message.roomName === 'peninsula');
        },
        PATIENCE,
      );
      proxy.heal();
      await cluster.converged(living(), 30_000);
      await graceIsOver(other);
      expect(toldOf('peninsula')).toEqual(['roomOccupied', 'presenceJoined ada']);
      // Nor was anything told later of those before it.
      expect(['crowd', 'deploy', 'flood', 'island'].map((roomName) => toldOf(roomName).length)).toEqual([34, 16, 6, 5]);
    },
    TIMEOUT,
  );
});
