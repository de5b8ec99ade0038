import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { report } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { persistently } from '../support/persistently.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** What we promise of a late joiner, ms. */
const COMPLETE = 3_000;

let cluster: TestCluster;
let one: WorkerProcess;
let two: WorkerProcess;
let clients: TestClient[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start({
    workers: 2,
    isDirect: true,
    options: { cluster: { shareUser: ['email', 'unknown'] } },
  });
  [one, two] = cluster.workers as [WorkerProcess, WorkerProcess];
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await eventually('nobody is left', async () => {
    const counts = cluster.workers.map((worker) =>
      worker.run(({ clients, rooms }) => clients.getClients().length + rooms.rooms.size),
    );
    return (await Promise.all(counts)).every((count) => count === 0);
  });
  clients = [];
});

afterAll(() => cluster.close());

async function connect(worker: WorkerProcess, user?: Record<string, string> & { userId: string }): Promise<TestClient> {
  const client = await worker.client(user);
  clients.push(client);
  return client;
}

/** What a worker knows of a client, of its own or of another worker. */
function entryOn(worker: WorkerProcess, { clientId }: TestClient): Promise<Record<string, unknown> | null> {
  return worker.run(({ clients }, id) => {
    const client = clients.getClient({ clientId: id });
    if (!client) return null;
    const { ws, workerId, user, rooms, roomName, metadata, connectedAt } = client;
    return { isHere: ws !== null, workerId, user, rooms: [...rooms], roomName, metadata, connectedAt };
  }, clientId);
}

function expectEventually(
  worker: WorkerProcess,
  client: TestClient,
  isSo: (entry: Record<string, unknown>) => boolean,
): Promise<number> {
  return eventually('the other worker knows', async () => {
    const entry = await entryOn(worker, client);
    return entry !== null && isSo(entry);
  });
}

describe('what a worker knows of a client of another', () => {
  it('is its id, its user with the shared claims alone, its rooms and its metadata, and no socket', async () => {
    const ada = await connect(one, { userId: '7', userType: 'admin', email: 'ada@x', secret: 'classified' });
    await one.run(async ({ rooms, clients }, clientId) => {
      await rooms.addClientToRoom({ clientId, roomName: 'chess', user: { username: 'Ada' } });
      await rooms.addClientToRoom({ clientId, roomName: 'go' });
      clients.updateClient({ clientId, key: 'theme', data: { dark: true } });
    }, ada.clientId);
    await expectEventually(two, ada, ({ metadata }) => Object.keys(metadata as object).length > 0);

    const { connectedAt, ...own } = (await entryOn(one, ada))!;
    expect(own.user).toMatchObject({ payload: { email: 'ada@x', secret: 'classified' } });
    expect(await entryOn(two, ada)).toEqual({
      isHere: false,
      workerId: one.workerId,
      user: { userId: '7', userType: 'admin', payload: { email: 'ada@x' } },
      rooms: ['chess', 'go'],
      roomName: 'go',
      metadata: { theme: { dark: true } },
      connectedAt,
    });
    expect(await redisHolds('ada@x')).toBe(true);
    expect(await redisHolds('classified')).toBe(false);
  });

  it('follows every change, made by whichever worker', async () => {
    const ada = await connect(one);
    await expectEventually(two, ada, ({ user }) => user === null);
    const change = { clientId: ada.clientId, roomName: 'chess' };
    await two.run(({ server }, join) => server.joinRoom({ ...join, userId: 7, username: 'Ada' }), change);
    await expectEventually(two, ada, ({ rooms }) => (rooms as string[]).includes('chess'));
    expect((await entryOn(two, ada))!.user).toMatchObject({ userId: '7' });

    await two.run(({ clients }, { clientId }) => clients.updateClient({ clientId, key: 'mood', data: 'calm' }), change);
    await expectEventually(two, ada, ({ metadata }) => (metadata as { mood?: string }).mood === 'calm');
    await two.run(({ server }, leave) => server.leaveRoom(leave), change);
    await expectEventually(two, ada, ({ rooms }) => (rooms as string[]).length === 0);
    await two.run(({ clients }, { clientId }) => clients.disconnectClient({ clientId }), change);
    await eventually('it is gone', async () => (await entryOn(two, ada)) === null);
  });

  it('is without what has no JSON form, which keeps nothing else back', async () => {
    const ada = await connect(one);
    await one.run(({ clients }, clientId) => {
      const { metadata } = clients.getClient({ clientId })!;
      metadata.size = 1n;
      metadata.self = metadata;
      clients.updateClient({ clientId, key: 'mood', data: 'calm' });
    }, ada.clientId);
    await expectEventually(two, ada, ({ metadata }) => (metadata as { mood?: string }).mood === 'calm');
    const bob = await connect(one);
    await expectEventually(two, bob, () => true);
    // What the application does to a value after the change, before the others are told of it.
    await one.run(({ clients }, clientId) => {
      const theme = { dark: true, self: null as unknown };
      clients.updateClient({ clientId, key: 'theme', data: theme });
      const metadata = clients.getClient({ clientId })!.metadata as { theme: typeof theme };
      metadata.theme.self = metadata;
    }, bob.clientId);
    await expectEventually(
      two,
      bob,
      ({ metadata }) => (metadata as { theme?: { dark: boolean } }).theme?.dark === true,
    );
    // Nor is a worker deaf to what it is told when its application has done so to a client of another.
    await two.run(({ clients }, clientId) => {
      const metadata = clients.getClient({ clientId })!.metadata as { theme: { dark: unknown } };
      metadata.theme.dark = 1n;
    }, bob.clientId);
    await one.run(({ clients }, clientId) => {
      clients.updateClient({ clientId, key: 'theme', data: { dark: false } });
      clients.updateClient({ clientId, key: 'mood', data: 'calm' });
    }, bob.clientId);
    const isTold = (): Promise<boolean> =>
      two.run(({ clients }, clientId) => {
        const { theme, mood } = clients.getClient({ clientId })!.metadata as {
          theme: { dark: unknown };
          mood?: string;
        };
        return theme.dark === false && mood === 'calm';
      }, bob.clientId);
    await eventually('it is told of the next change', isTold);
    const fetched = await two.run(async ({ service }) => {
      const { clients, partial } = await service.fetchClients();
      return { metadata: clients.map(({ metadata }) => metadata), partial };
    });
    expect(fetched).toEqual({ metadata: [{ mood: 'calm' }, { theme: { dark: false }, mood: 'calm' }], partial: false });
  });

  it('lacks the claims that are not shared, and the log names each that is looked for, once', async () => {
    const premium = { subscription: 'premium', email: 'team@x' };
    const [here, there] = [
      await connect(one, { userId: '7', ...premium }),
      await connect(two, { userId: '8', ...premium }),
    ];
    const nobody = await connect(two);
    for (const client of [there, nobody]) await expectEventually(one, client, () => true);
    const warnings = (): string[] =>
      one.log.map(({ line }) => line).filter((line) => line.startsWith('warn The claim'));

    // The broadcast of PXL's guide.
    await one.run(({ server }) => {
      for (let times = 0; times < 3; times++) {
        server.broadcastToAllClients({
          data: { type: 'test', action: 'ofPremium' },
          predicate: ({ userData }) => userData?.subscription === 'premium',
        });
      }
      server.broadcastToAllClients({
        data: { type: 'test', action: 'ofTeam' },
        predicate: ({ userData }) => userData?.email === 'team@x',
      });
    });
    expect(await here.next()).toEqual({ type: 'test', action: 'ofPremium' });
    expect(await there.next()).toEqual({ type: 'test', action: 'ofTeam' });
    expect(nobody.pending).toEqual([]);
    const unknown = (claim: string): string =>
      `warn The claim "${claim}" was looked for in a user of another worker, where it is not known. Name it in ` +
      'cluster.shareUser, or what goes by it (a predicate of broadcastToAllClients, a filter, the client list) misses ' +
      'those users. PxlWebSocket';
    expect(warnings()).toEqual([unknown('subscription')]);

    const seen = await one.run(async ({ server, clients, service }, clientId) => {
      const seen: unknown[] = [];
      const pick = (predicate: Parameters<typeof server.broadcastToAllClients>[0]['predicate']): void =>
        server.broadcastToAllClients({ data: null, predicate });
      pick(({ userData, clientId: id }) => {
        if (id !== clientId || !userData) return false;
        // What is there, what shared claims a user may lack, and what tools look for: none of that is told.
        seen.push({ ...userData }, JSON.parse(JSON.stringify(userData)), Object.keys(userData), 'email' in userData);
        seen.push(userData.userType ?? null, userData.unknown ?? null, 'unknown' in userData, typeof userData.toString);
        seen.push(structuredClone(userData), userData instanceof Object, userData.hasOwnProperty('email'));
        return false;
      });
      pick(({ userData }) => userData !== null && 'role' in userData);
      pick(({ client }) => client.user?.payload.plan === 'gold');
      pick(({ client }) => (client.user?.payload.team as { name?: string } | undefined)?.name === 'red');
      seen.push(clients.getClients().filter(({ user }) => user?.payload.level === 3).length);
      const entries = (await service.fetchClients()).clients;
      seen.push(entries.filter(({ user }) => user?.payload.seat === 3).length);
      seen.push(clients.getClientByKey({ key: 'user.payload.badge', value: 'b' }) ?? null);
      clients.getClientByKey({ key: 'user.payload.own', value: 'b', requireWs: true });
      server.local.broadcastToAllClients({ data: null, predicate: ({ userData }) => userData?.local === true });
      return seen;
    }, there.clientId);
    const data = { userId: '8', email: 'team@x' };
    expect(seen).toEqual([
      ...[data, data, ['email', 'userId', 'userType'], true],
      ...[null, null, false, 'function'],
      ...[data, true, true],
      ...[0, 0, null],
    ]);
    const claims = ['subscription', 'role', 'plan', 'team', 'level', 'seat', 'badge'];
    expect(warnings()).toEqual(claims.map(unknown));
  });

  it('is found by every look-up', async () => {
    const ada = await connect(one, { userId: '7', userType: 'admin', email: 'ada@x' });
    const bob = await connect(two, { userId: '7' });
    await one.run(({ service }) => service.joinRooms({ userIds: [7], rooms: ['chess'] }));
    await expectEventually(two, ada, ({ rooms }) => (rooms as string[]).length === 1);
    const found = await two.run(({ clients, rooms, server }, clientId) => {
      const idsOf = (entries: { clientId: string }[]): string[] => entries.map((entry) => entry.clientId).sort();
      return {
        all: idsOf(clients.getClients()),
        admins: idsOf(server.getClients({ userType: 'admin' })),
        sessions: idsOf(clients.getClientsByUser({ userId: 7 })),
        members: idsOf(clients.getClientsByRoom({ room: 'chess' })),
        memberIds: rooms.getRoomClients({ roomName: 'chess' }).sort(),
        room: [...(server.rooms.get('chess') ?? [])].sort(),
        isMember: rooms.isClientInRoom({ clientId, roomName: 'chess' }),
        byKey: clients.getClientByKey({ key: 'user.payload.email', value: 'ada@x' })?.clientId,
        withSocket: clients.getClient({ clientId, requireWs: true }) === undefined,
      };
    }, ada.clientId);
    const both = [ada.clientId, bob.clientId].sort();
    expect(found).toEqual({
      all: both,
      admins: [ada.clientId],
      sessions: both,
      members: both,
      memberIds: both,
      room: both,
      isMember: true,
      byKey: ada.clientId,
      withSocket: true,
    });
  });
});

it('a late joiner knows every client before it takes its first connection', async () => {
  const early = await Promise.all(
    Array.from({ length: 200 }, (_, at) => connect(cluster.workers[at % 2]!, { userId: String(at % 50) })),
  );
  const join = (): Promise<void> =>
    one.run(({ service }) =>
      service.joinRooms({ userIds: Array.from({ length: 50 }, (_, at) => at), rooms: ['chess', 'go'] }),
    );
  await persistently('all are members', join);
  const knowsAll = (worker: WorkerProcess): Promise<boolean> =>
    worker.run(({ clients }, count) => clients.getClientsByRoom({ room: 'go' }).length === count, early.length);
  for (const worker of [one, two]) await eventually('the others know all', () => knowsAll(worker));
  const late = await cluster.add();
  report('a late joiner is ready', late.startedIn, COMPLETE);
  // The first ones had nobody to hear of: what they took is the machine's.
  expect(late.startedIn).toBeLessThan(2 * COMPLETE + Math.max(one.startedIn, two.startedIn));
  const known = (): Promise<{ ready: boolean }> =>
    late.run(({ clients, service }) => ({
      clients: clients.getClients().length,
      sessions: clients.getClientsByUser({ userId: 7 }).length,
      members: clients.getClientsByRoom({ room: 'go' }).length,
      ready: service.getWebSocketHealth().ready,
    }));
  // A slow machine has it listen before that, and refuse connections.
  let first = await known();
  await eventually('it is ready', async () => first.ready || (first = await known()).ready);
  expect(first).toEqual({ clients: early.length, sessions: 4, members: early.length, ready: true });

  // What happens from now on it hears as the others do.
  const ada = await connect(one, { userId: '7' });
  await expectEventually(late, ada, () => true);
  await persistently('they join', () => late.run(({ service }) => service.joinRooms({ userIds: [7], rooms: ['new'] })));
  await expectEventually(late, ada, ({ rooms }) => (rooms as string[]).includes('new'));
});

/** Whether a text stands in a hash of Redis. */
async function redisHolds(text: string): Promise<boolean> {
  const keys = await cluster.redis.command<string[]>('KEYS', '*');
  for (const key of keys) {
    if ((await cluster.redis.command('TYPE', key)) !== 'hash') continue;
    if (JSON.stringify(await cluster.redis.command('HGETALL', key)).includes(text)) return true;
  }
  return false;
}
