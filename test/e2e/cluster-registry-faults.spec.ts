import { describe, expect, it } from '@jest/globals';
import { RegistryKeys } from '../../lib/cluster/registry/registry-keys.js';
import { LEASE } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { RegistryCluster } from '../support/registry-cluster.js';
import type { RegistryWorker } from '../support/registry-worker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const PATIENCE = 15_000 + 10 * LEASE;

/** The workers of one test and their Redis. */
interface Place {
  readonly server: RedisServer;
  readonly cluster: RegistryCluster;
}

/** A test in a place of its own: nearly all that it does is to wait, so that it runs beside others. */
function story(tell: (place: Place) => Promise<void>): () => Promise<void> {
  return async () => {
    const server = await RedisServer.start();
    const cluster = new RegistryCluster(server, { lease: LEASE });
    let faults: string[];
    try {
      await tell({ server, cluster });
    } finally {
      server.thaw();
      faults = await cluster.end();
      await server.stop();
    }
    expect(faults).toEqual([]);
  };
}

/** The fault lasts; or, as long as it would take until a false verdict showed, there is none. */
function leasesPass(leases: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, leases * LEASE));
}

/** Two workers with clients that know each other, and have forgotten what they were told on the way. */
async function populated(cluster: RegistryCluster): Promise<[RegistryWorker, RegistryWorker]> {
  const [one, two] = await cluster.start(['one', 'two']);
  for (const worker of [one, two]) for (let n = 0; n < 100; n++) worker.join(worker.connect(), `room ${n % 7}`);
  await Promise.all([one.learns(two), two.learns(one)]);
  one.told.length = two.told.length = 0;
  return [one, two];
}

/** Resolves once a new client of each is known to the other, and nothing else is in doubt. */
async function converged(one: RegistryWorker, two: RegistryWorker): Promise<void> {
  one.connect();
  two.connect();
  const isConverged = (): boolean => one.registry.isReady && two.registry.isReady && one.knows(two) && two.knows(one);
  await eventually('the workers know each other again', isConverged, PATIENCE);
}

/** Each was told of the other's new client, and of nothing else. */
function expectCalm(one: RegistryWorker, two: RegistryWorker): void {
  expect([one.told, two.told]).toEqual([['connected two.101'], ['connected one.101']]);
  expect([one, two].map(({ registry }) => registry.counts.deadWorkers)).toEqual([0, 0]);
}

describe('When Redis', () => {
  it.concurrent.each([0.8, 1.5])(
    'stands still for %s leases, nobody is found dead',
    (leases) =>
      story(async ({ server, cluster }) => {
        const [one, two] = await populated(cluster);
        server.freeze();
        await leasesPass(leases);
        server.thaw();
        await converged(one, two);
        await leasesPass(1.5);
        expectCalm(one, two);
      })(),
    PATIENCE,
  );

  it.concurrent.each([
    { until: 'stood still as well', pause: 0.7, deaths: 0 },
    { until: 'answered the others all the time', pause: 0, deaths: 1 },
  ])(
    '$until, $deaths is found dead of those that come back a lease later',
    ({ pause, deaths }) =>
      story(async ({ server, cluster }) => {
        const proxy = await TcpProxy.before(server.port);
        const [one] = await cluster.start(['one']);
        const [slow] = await cluster.start(['slow'], { redis: `redis://127.0.0.1:${proxy.port}` });
        await leasesPass(1.2);
        proxy.blackHole();
        if (pause > 0) server.freeze();
        await leasesPass(pause);
        server.thaw();
        await leasesPass(1.2 - pause);
        const { registry } = one;
        await eventually('the verdict is there', () => registry.counts.deadWorkers === deaths, PATIENCE);
        proxy.heal();
        await converged(one, slow);
        expect(registry.counts.deadWorkers).toBe(deaths);
        await slow.stop();
        await proxy.close();
      })(),
    PATIENCE,
  );

  it.concurrent(
    'is killed and comes back, the workers go on as if nothing had been',
    story(async ({ server, cluster }) => {
      const [one, two] = await populated(cluster);
      await server.kill();
      await server.run();
      await converged(one, two);
      expectCalm(one, two);
      expect(one.registry.counts.lostLeases).toBe(0);
    }),
    PATIENCE,
  );

  it.concurrent(
    'has lost its data, it gets them again, and nobody is told anything',
    story(async ({ server, cluster }) => {
      const [one, two] = await populated(cluster);
      await server.kill();
      await server.forget();
      await server.run();
      await converged(one, two);
      const [late] = await cluster.start(['late']);
      expect([late.knows(one), late.knows(two)]).toEqual([true, true]);
      await leasesPass(1.5);
      expect(one.told).toEqual(['connected two.101']);
      expect(one.registry.counts).toMatchObject({ lostLeases: 1, deadWorkers: 0 });
    }),
    PATIENCE,
  );

  it.concurrent(
    'has gone back to older data, nobody is found dead, and what came since is written again',
    story(async ({ server, cluster }) => {
      const [one, two] = await populated(cluster);
      const { leases } = new RegistryKeys(cluster.prefix);
      const [key] = await cluster.keysOf('one');
      const olderLeases = Object.entries(await server.command<Record<string, string>>('HGETALL', leases));
      const older = [
        olderLeases.map(([field, value]) => [field, value.replace(/^\d+ /, '1 ')]),
        Object.entries(await server.command<Record<string, string>>('HGETALL', key!)),
      ];
      const client = one.connect();
      await two.learns(one);
      await leasesPass(1.2);
      const goBack = `redis.call('DEL', unpack(KEYS))
        redis.call('HSET', KEYS[1], unpack(cjson.decode(ARGV[1])))
        redis.call('HSET', KEYS[2], unpack(cjson.decode(ARGV[2])))`;
      const texts = older.map((pairs) => JSON.stringify(pairs.flat()));
      await server.command('EVAL', goBack, 2, leases, key!, ...texts);
      await eventually('it was noticed', () => one.registry.counts.lostLeases + two.registry.counts.lostLeases === 2);
      const [late] = await cluster.start(['late']);
      await late.learns(one, two);
      await leasesPass(1.5);
      expect(one.told).toEqual([]);
      expect(two.told).toEqual([`connected ${client}`]);
    }),
    PATIENCE,
  );

  it.concurrent(
    'has lost the clients of one worker, it gets them again, and nobody is told anything',
    story(async ({ server, cluster }) => {
      const [one, two] = await populated(cluster);
      await server.command('DEL', ...(await cluster.keysOf('one')));
      await eventually('they are back', async () => (await cluster.keysOf('one')).length === 1);
      await converged(one, two);
      expectCalm(one, two);
      const [late] = await cluster.start(['late']);
      expect(late.knows(one)).toBe(true);
    }),
    PATIENCE,
  );

  it.concurrent(
    'cannot be reached for long, what happened meanwhile is told afterwards, in bounded memory',
    story(async ({ server, cluster }) => {
      const [one, two] = await populated(cluster);
      await server.kill();
      for (let n = 0; n < 30_000; n++) {
        one.disconnect(one.connect());
        // The stories beside this one go on.
        if (n % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      const client = one.connect();
      await server.run();
      await converged(one, two);
      expect(two.told.sort()).toEqual([`connected ${client}`, 'connected one.30102']);
    }),
    PATIENCE,
  );

  it.concurrent(
    'is not there yet, the view becomes complete once it is',
    story(async ({ server, cluster }) => {
      await server.kill();
      const [one, two] = [cluster.begin('one'), cluster.begin('two')];
      one.connect();
      await leasesPass(0.5);
      expect([one.isStarted, one.registry.isReady]).toEqual([false, false]);
      await server.run();
      await Promise.all([one.started(), two.started()]);
      await two.learns(one);
    }),
    PATIENCE,
  );
});

describe('A worker', () => {
  it.concurrent(
    'that Redis has not heard of for a lease is dead to the others, and comes back as it was',
    story(async ({ server, cluster }) => {
      const proxy = await TcpProxy.before(server.port);
      const [one, two] = await cluster.start(['one', 'two']);
      const [cut] = await cluster.start(['cut'], { redis: `redis://127.0.0.1:${proxy.port}` });
      for (const worker of [one, two, cut]) worker.join(worker.connect(), 'chess');
      await Promise.all([one.learns(two, cut), cut.learns(one, two)]);
      one.told.length = cut.told.length = 0;
      proxy.blackHole();
      await eventually('it is dead', () => one.view.get('cut') === undefined, PATIENCE);
      expect(one.told).toEqual(['left cut.1 chess', 'disconnected cut.1 1006']);
      await eventually('it knows nothing new', () => !cut.registry.isReady);
      const client = two.connect();
      proxy.heal();
      await eventually('it is back', () => one.knows(cut) && cut.knows(two) && cut.registry.isReady, PATIENCE);
      expect(one.told.slice(-2)).toEqual(['connected cut.1', 'joined cut.1 chess']);
      // Nobody is dead to it: it is to blame itself.
      await leasesPass(1.5);
      expect(cut.told).toEqual([`connected ${client}`]);
      expect(cut.registry.counts).toMatchObject({ lostLeases: 1, deadWorkers: 0 });
      expect([one, two, cut].map(({ returns }) => returns)).toEqual([0, 0, 1]);
      await cut.stop();
      await proxy.close();
    }),
    PATIENCE,
  );

  it.concurrent(
    'that died while nobody was left is cleared away by the next one',
    story(async ({ server, cluster }) => {
      const [victim] = await cluster.start(['victim']);
      const client = victim.connect();
      await eventually('its client is written', async () => {
        const [key] = await cluster.keysOf('victim');
        return (await server.command<number>('HLEN', key!)) === 2;
      });
      await victim.kill();
      const next = cluster.begin('next');
      await next.started();
      expect(next.told).toEqual([`connected ${client}`]);
      await cluster.forgets('victim');
      await eventually('it is gone', () => next.registry.workers.size === 0);
    }),
    PATIENCE,
  );

  it.concurrent(
    'takes over what another one has left half done when it died',
    story(async ({ server, cluster }) => {
      await cluster.start(['one', 'two']);
      const keys = new RegistryKeys(cluster.prefix);
      await server.command('HSET', keys.clients('victim', 3), '', '1');
      await server.command('HSET', keys.leases, 'dead:victim.3', String(Date.now() - 2 * LEASE));
      await cluster.forgets('victim');
    }),
    PATIENCE,
  );
});

describe('When hints are lost', () => {
  it.concurrent(
    '3 of 100, the mirror is right two seconds later',
    story(async ({ cluster }) => {
      const [one, two] = await cluster.start(['one', 'two']);
      let [hints, lost] = [0, 0];
      two.loses = (): boolean => ++hints % 33 === 0 && ++lost > 0;
      while (lost < 10) {
        const before = hints;
        one.join(one.connect(), 'chess');
        await until(() => hints > before);
      }
      const took = await eventually('the mirror is right', () => two.knows(one));
      expect(took).toBeLessThan(2 * 2_000);
      expect(two.registry.counts.gaps).toBeGreaterThan(0);
    }),
    PATIENCE,
  );

  it.concurrent(
    'and nothing follows, the mirror is right all the same',
    story(async ({ cluster }) => {
      const [one, two] = await populated(cluster);
      two.loses = (): boolean => true;
      const client = one.connect();
      await two.learns(one);
      expect(two.told).toEqual([`connected ${client}`]);
    }),
    PATIENCE,
  );

  it.concurrent(
    'as a worker stops, the others let its clients go',
    story(async ({ cluster }) => {
      const [one, two] = await populated(cluster);
      two.loses = (): boolean => true;
      await one.stop();
      await eventually('it is gone', () => two.view.size === 0 && two.registry.workers.size === 0, PATIENCE);
      expect(two.told).toHaveLength(200);
    }),
    PATIENCE,
  );
});
