import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WsUserConnectionsLimit } from '../../lib/options/limits.options.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { RedisUserConnections } from '../../lib/cluster/users/redis.user-connections.js';
import { bucketKey, bucketOf } from '../../lib/cluster/subjects/buckets.js';
import { LEASE } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { RegistryCluster } from '../support/registry-cluster.js';
import type { RegistryWorker } from '../support/registry-worker.js';

const PATIENCE = 15_000 + 10 * LEASE;
const REFUSED = { admitted: false, replaced: [] };

let server: RedisServer;
let cluster: RegistryCluster;
let connections: Map<string, RedisUserConnections>;

/** A worker's registry and the count of its users' connections. */
interface Worker {
  readonly registry: RegistryWorker;
  readonly connections: RedisUserConnections;
}

async function start<const Names extends readonly string[]>(
  names: Names,
  limit: WsUserConnectionsLimit,
): Promise<{ [Name in keyof Names]: Worker }> {
  const registries = await cluster.start(names, {
    data: (link, workerId) => {
      const one = new RedisUserConnections(link, { prefix: cluster.prefix, workerId, limit }, new Runtime());
      connections.set(workerId, one);
      return [one];
    },
  });
  return registries.map((registry) => ({ registry, connections: connections.get(registry.name)! })) as {
    [Name in keyof Names]: Worker;
  };
}

/** The connections of a user that Redis counts, the oldest first. */
async function countedOf(userId: string): Promise<string[]> {
  const key = bucketKey(cluster.prefix, 'users', bucketOf(userId), 'connections');
  const clientIds = await server.command<string | null>('HGET', key, userId);
  return clientIds?.trim().split(' ') ?? [];
}

beforeEach(async () => {
  server = await RedisServer.start();
  cluster = new RegistryCluster(server, { lease: LEASE });
  connections = new Map();
});

afterEach(async () => {
  await cluster.end();
  await server.stop();
});

describe('The limit of a user’s connections', () => {
  it('counts those on all workers', async () => {
    const [one, two] = await start(['one', 'two'], { max: 2 });
    expect(await one.connections.enter('ada', 'one.a')).toEqual({ admitted: true, replaced: [] });
    expect(await two.connections.enter('ada', 'two.a')).toEqual({ admitted: true, replaced: [] });
    expect(await one.connections.enter('ada', 'one.b')).toEqual(REFUSED);
    expect(await two.connections.enter('bo', 'two.b')).toMatchObject({ admitted: true });
    two.connections.leave('ada', 'two.a');
    await eventually('it is counted out', async () => (await countedOf('ada')).length === 1);
    expect(await one.connections.enter('ada', 'one.b')).toMatchObject({ admitted: true });
  });

  it('counts at a Redis that has slots, though it is addressed as one server', async () => {
    await server.stop();
    server = await RedisServer.start('--cluster-enabled', 'yes');
    await server.command('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    await eventually('it serves them', async () =>
      (await server.command<string>('CLUSTER', 'INFO')).includes('state:ok'),
    );
    cluster = new RegistryCluster(server, { lease: LEASE });
    const [one] = await start(['one'], { max: 1 });
    const users = Array.from({ length: 20 }, (_, n) => `user-${n}`);
    for (const isFirst of [true, false]) {
      const entries = await Promise.all(users.map((user) => one.connections.enter(user, `one.${user}.${isFirst}`)));
      expect(entries.filter(({ admitted }) => admitted === isFirst)).toHaveLength(users.length);
    }
    expect(await countedOf('user-7')).toEqual(['one.user-7.true']);
  });

  it('holds when many come to several workers in one moment', async () => {
    const workers = await start(['one', 'two', 'three'], { max: 5 });
    const entries = workers.flatMap(({ registry, connections }) =>
      Array.from({ length: 20 }, (_, n) => connections.enter('ada', `${registry.name}.${n}`)),
    );
    const admitted = (await Promise.all(entries)).filter((entry) => entry.admitted);
    expect(admitted).toHaveLength(5);
  });

  it('may make room by the oldest, wherever they are', async () => {
    const [one, two] = await start(['one', 'two'], { max: 2, onExceed: 'replaceOldest' });
    await one.connections.enter('ada', 'one.a');
    await two.connections.enter('ada', 'two.a');
    expect(await two.connections.enter('ada', 'two.b')).toEqual({ admitted: true, replaced: ['one.a'] });
    expect(await one.connections.enter('ada', 'one.b')).toEqual({ admitted: true, replaced: ['two.a'] });
    one.connections.leave('ada', 'one.a');
    expect(await countedOf('ada')).toEqual(['two.b', 'one.b']);
  });

  it(
    'counts those of a dead worker no longer than its lease',
    async () => {
      const [one, victim] = await start(['one', 'victim'], { max: 1 });
      await victim.connections.enter('ada', 'victim.a');
      await victim.registry.kill();
      expect(await one.connections.enter('ada', 'one.a')).toEqual(REFUSED);
      await cluster.forgets('victim');
      expect(await one.connections.enter('ada', 'one.a')).toMatchObject({ admitted: true });
    },
    PATIENCE,
  );

  it('lets those of a worker that stops go at once', async () => {
    const [one, two] = await start(['one', 'two'], { max: 1 });
    await two.connections.enter('ada', 'two.a');
    await two.registry.registry.stop();
    expect(await one.connections.enter('ada', 'one.a')).toMatchObject({ admitted: true });
  });

  it(
    'is each worker’s own while Redis is away, and the cluster’s again afterwards',
    async () => {
      const [one, two] = await start(['one', 'two'], { max: 2 });
      await one.connections.enter('ada', 'one.a');
      await two.connections.enter('ada', 'two.a');
      await server.kill();
      await eventually('it is noticed', () => !one.registry.link.isReady && !two.registry.link.isReady);
      expect(await one.connections.enter('ada', 'one.b')).toMatchObject({ admitted: true });
      expect(await one.connections.enter('ada', 'one.c')).toEqual(REFUSED);
      two.connections.leave('ada', 'two.a');
      await server.run();
      await eventually('it is counted', async () => (await countedOf('ada')).join() === 'one.a,one.b', PATIENCE);
      expect(await two.connections.enter('ada', 'two.b')).toEqual(REFUSED);
    },
    PATIENCE,
  );

  it(
    'holds again after Redis has lost its data',
    async () => {
      const [one, two] = await start(['one', 'two'], { max: 1 });
      await one.connections.enter('ada', 'one.a');
      await server.kill();
      await server.forget();
      await server.run();
      await eventually('it is counted', async () => (await countedOf('ada')).length === 1, PATIENCE);
      await eventually('the other worker is back too', () => two.registry.link.isReady, PATIENCE);
      expect(await two.connections.enter('ada', 'two.a')).toEqual(REFUSED);
    },
    PATIENCE,
  );
});
