import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RedisUserPresence } from '../../lib/cluster/users/redis.user-presence.js';
import type { UserNews } from '../../lib/cluster/users/session-bucket.js';
import { userBucketKey, userBucketOf } from '../../lib/redis/user-buckets.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { LEASE } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { RegistryCluster } from '../support/registry-cluster.js';
import type { RegistryWorker } from '../support/registry-worker.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const PATIENCE = 15_000 + 10 * LEASE;

let server: RedisServer;
let cluster: RegistryCluster;
/** What the first worker was told, as `<worker that tells> <event> <user>`. */
let told: string[];
let hasStarted: boolean;

/** A worker's registry and its users. */
interface Worker {
  readonly registry: RegistryWorker;
  readonly users: RedisUserPresence;
  readonly told: string[];
}

async function start<const Names extends readonly string[]>(
  names: Names,
  redis = server.url,
): Promise<{ [Name in keyof Names]: Worker }> {
  const workers = new Map<string, Omit<Worker, 'registry'>>();
  const registries = await cluster.start(names, {
    redis,
    data: (link, workerId) => {
      const heard: string[] = [];
      const tell = (news: UserNews): void => void heard.push(`${news.workerId} ${news.event} ${news.userId}`);
      const users = new RedisUserPresence(
        link,
        tell,
        { prefix: cluster.prefix, workerId, lease: LEASE },
        new Runtime(),
      );
      workers.set(workerId, { users, told: heard });
      return [users];
    },
  });
  const started = registries.map((registry): Worker => {
    const worker = workers.get(registry.name)!;
    registry.hear = (channel, payload): void => {
      if (channel === worker.users.channel) worker.users.receive(payload);
    };
    return { registry, ...worker };
  });
  if (!hasStarted) told = started[0]!.told;
  hasStarted = true;
  return started as { [Name in keyof Names]: Worker };
}

/** Resolves once so much was told, and checks that it is this. */
async function expectTold(...expected: string[]): Promise<void> {
  await eventually(`${expected.length} news`, () => told.length >= expected.length, PATIENCE);
  expect(told).toEqual(expected);
}

/** On which workers Redis has a user. */
async function placesOf(userId: string): Promise<string[]> {
  const key = userBucketKey(cluster.prefix, userBucketOf(userId), 'sessions');
  const places = await server.command<string | null>('HGET', key, userId);
  return places?.match(/\w+(?=\.\d+ )/g) ?? [];
}

/** How many pairs of a user and a worker Redis has. */
function countPlaces(): Promise<number> {
  const script = `local places = 0
    for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
      for _, value in ipairs(redis.call('HVALS', key)) do places = places + select(2, string.gsub(value, ' ', '')) end
    end
    return places`;
  return server.command('EVAL', script, 0, `${cluster.prefix}:{users.*:sessions`);
}

function leasesPass(leases: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, leases * LEASE));
}

beforeEach(async () => {
  server = await RedisServer.start();
  cluster = new RegistryCluster(server, { lease: LEASE });
  hasStarted = false;
});

afterEach(async () => {
  await cluster.end();
  await server.stop();
});

describe('A user', () => {
  it('connects with its first session in the cluster, and disconnects with its last', async () => {
    const [one, two] = await start(['one', 'two']);
    one.users.opened('ada');
    await expectTold('one userConnected ada');
    one.users.opened('ada');
    two.users.opened('ada');
    await eventually('it is on both', async () => (await placesOf('ada')).length === 2);
    one.users.closed('ada');
    one.users.closed('ada');
    await eventually('it is on one', async () => (await placesOf('ada')).length === 1);
    two.users.closed('ada');
    await expectTold('one userConnected ada', 'two userDisconnected ada');
    await eventually('all hear the same', () => two.told.join() === one.told.join());
    expect(await placesOf('ada')).toEqual([]);
  });

  it('connects once, however many workers it comes to in one moment', async () => {
    const workers = await start(['one', 'two', 'three']);
    const userIds = Array.from({ length: 1_000 }, (_, n) => `user ${n}`);
    for (const userId of userIds) for (const { users } of workers) users.opened(userId);
    await eventually('all have come', async () => (await countPlaces()) === 3 * userIds.length);
    await eventually('all are told', () => told.length === userIds.length);
    for (const userId of userIds) for (const { users } of workers) users.closed(userId);
    await eventually('all have gone', async () => (await countPlaces()) === 0);
    await eventually('all are told', () => told.length === 2 * userIds.length);
    expect(new Set(told.map((line) => line.slice(line.indexOf(' ')))).size).toBe(2 * userIds.length);
  });

  it('that comes and goes in one moment is nobody’s news', async () => {
    const [one] = await start(['one']);
    one.users.opened('ada');
    one.users.closed('ada');
    one.users.opened('bo');
    await expectTold('one userConnected bo');
    expect(await placesOf('ada')).toEqual([]);
  });

  it.each(['a b', '*', '{x}', 'CR\r\nLF', '', '__proto__', '😀'])('may be called %j', async (userId) => {
    const [one, two] = await start(['one', 'two']);
    one.users.opened(userId);
    await expectTold(`one userConnected ${userId}`);
    one.users.closed(userId);
    await expectTold(`one userConnected ${userId}`, `one userDisconnected ${userId}`);
    two.users.opened(userId);
    await eventually('it is there', () => told.length === 3);
  });

  it('of a worker that stops disconnects at once', async () => {
    const [one, two] = await start(['one', 'two']);
    for (const userId of ['ada', 'bo']) one.users.opened(userId);
    two.users.opened('bo');
    await eventually('they are known', async () => (await placesOf('bo')).length === 2 && told.length === 2);
    await one.registry.registry.stop();
    await eventually('it is told', () => told.length === 3);
    expect(told.slice(2)).toEqual(['one userDisconnected ada']);
    expect(await placesOf('bo')).toEqual(['two']);
  });

  it(
    'of a worker that was killed disconnects once, unless it is elsewhere',
    async () => {
      const [, two, victim] = await start(['one', 'two', 'victim']);
      const userIds = Array.from({ length: 300 }, (_, n) => `user ${n}`);
      for (const userId of userIds) victim.users.opened(userId);
      two.users.opened('user 0');
      await eventually('they are known', async () => told.length === 300 && (await placesOf('user 0')).length === 2);
      told.length = 0;
      await victim.registry.kill();
      await eventually('they are gone', () => told.length >= 299, PATIENCE);
      await cluster.forgets('victim');
      expect(told.map((line) => line.split(' ').slice(1).join(' ')).sort()).toEqual(
        userIds
          .slice(1)
          .map((userId) => `userDisconnected ${userId}`)
          .sort(),
      );
      expect(await placesOf('user 0')).toEqual(['two']);
    },
    PATIENCE,
  );
});

describe('When Redis', () => {
  it(
    'has lost its data, users are written again without a word, and what happened meanwhile is told',
    async () => {
      const [one, two] = await start(['one', 'two']);
      for (const { users } of [one, two]) users.opened('ada');
      one.users.opened('bo');
      await eventually('they are known', async () => told.length === 2 && (await placesOf('ada')).length === 2);
      told.length = 0;
      await server.kill();
      await server.forget();
      one.users.closed('ada');
      one.users.closed('bo');
      two.users.opened('cleo');
      await server.run();
      await eventually('both are told', () => told.length >= 2, PATIENCE);
      expect(told.sort()).toEqual(['one userDisconnected bo', 'two userConnected cleo']);
      expect(await placesOf('ada')).toEqual(['two']);
      two.users.closed('ada');
      await eventually('it is gone', () => told.at(-1) === 'two userDisconnected ada');
    },
    PATIENCE,
  );

  it(
    'does not answer, each user is told once all the same',
    async () => {
      const proxy = await TcpProxy.before(server.port);
      await start(['one']);
      const [cut] = await start(['cut'], `redis://127.0.0.1:${proxy.port}`);
      cut.users.opened('ada');
      await expectTold('cut userConnected ada');
      proxy.replies = 'hold';
      cut.users.closed('ada');
      cut.users.opened('bo');
      await eventually('both are told', () => told.length === 3);
      proxy.reset();
      proxy.heal();
      await eventually('it is back', () => cut.registry.registry.isReady, PATIENCE);
      cut.users.opened('cleo');
      await eventually('it goes on', () => told.at(-1) === 'cut userConnected cleo', PATIENCE);
      expect(told.slice(1, -1).sort()).toEqual(['cut userConnected bo', 'cut userDisconnected ada']);
      await cut.registry.stop();
      await proxy.close();
    },
    PATIENCE,
  );

  it(
    'was not heard for long, users of a worker that was thought dead connect again',
    async () => {
      const proxy = await TcpProxy.before(server.port);
      await start(['one']);
      const [cut] = await start(['cut'], `redis://127.0.0.1:${proxy.port}`);
      for (const userId of ['ada', 'bo']) cut.users.opened(userId);
      await eventually('they are known', () => told.length === 2);
      proxy.blackHole();
      await eventually('they are gone', () => told.length === 4, PATIENCE);
      cut.users.closed('bo');
      proxy.heal();
      await eventually('one is back', () => told.length === 5, PATIENCE);
      expect(told.slice(2)).toEqual([
        expect.stringMatching(/^one userDisconnected/),
        expect.stringMatching(/^one userDisconnected/),
        'cut userConnected ada',
      ]);
      await leasesPass(0.5);
      expect(told).toHaveLength(5);
      await cut.registry.stop();
      await proxy.close();
    },
    PATIENCE,
  );
});
