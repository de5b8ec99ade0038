import { afterEach, describe, expect, it } from '@jest/globals';
import { RegistryKeys } from '../../lib/cluster/registry/registry-keys.js';
import { keySlotOf } from '../../lib/redis/topology/key-slot.js';
import { isSoak, PROBE } from '../support/cluster-periods.js';
import { MovingFleet, type FleetReport } from '../support/moving-fleet.js';
import { RedisCluster } from '../support/redis-cluster.js';

const PATIENCE = 300_000;
/** How often a fleet that had a worker out of service begins anew. */
const REPEATS = 3;
const WORKERS = isSoak ? 3 : 2;
/** `cluster.lease`, ms. */
const LEASE = isSoak ? 10_000 : 5_000;
/** Milliseconds for which a slot stays half moved in a soak: longer than a worker may go without its lease. */
const HALF_MOVED = 6_000;
const LEASES = keySlotOf(new RegistryKeys('pxl').leases);
/** The slots of the channels that rooms share. */
const SHARDS = new Set(Array.from({ length: 256 }, (_, at) => keySlotOf(`pxl:shard:${at}`)));

let cluster: RedisCluster | undefined;
let fleet: MovingFleet | undefined;

afterEach(end);

async function end(): Promise<void> {
  await fleet?.close();
  await cluster?.stop();
}

/** What a fleet meets with while its Redis Cluster is set in motion. `prepare`: before the workers start, with a spare node. */
async function fleetMeets(
  what: string,
  kind: 'classic' | 'sharded',
  work: (cluster: RedisCluster) => Promise<void>,
  prepare?: (cluster: RedisCluster) => Promise<unknown>,
): Promise<FleetReport> {
  cluster = await RedisCluster.start({ spares: prepare ? 1 : 0 });
  await prepare?.(cluster);
  const redis = { cluster: cluster.startupNodes, sharded: kind === 'sharded' };
  fleet = await MovingFleet.start(WORKERS, { redis, cluster: { lease: LEASE, probe: PROBE } });
  await fleet.begin();
  const begin = performance.now();
  await work(cluster);
  const took = Math.round(performance.now() - begin);
  await fleet.arrives();
  const report = await fleet.end();
  if (isSoak) process.stdout.write(`${kind}, ${what} (${took} ms): ${JSON.stringify(report)}\n`);
  return report;
}

/** The number of the spare node that {@link withReplica} makes a replica. */
const REPLICA = 3;

async function withReplica(of: RedisCluster): Promise<void> {
  await of.replicate(REPLICA, 0);
}

/** @param meanwhile what happens while the slot is half moved */
async function halfMoveLeases(of: RedisCluster, meanwhile = longerThanALease): Promise<void> {
  const owners = await Promise.all([0, 1, 2].map((node) => of.slotsOf(node)));
  const from = owners.findIndex((slots) => slots.includes(LEASES));
  const goOn = await of.halfMove([LEASES], from, (from + 1) % 3);
  await meanwhile();
  await goOn();
}

function longerThanALease(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, HALF_MOVED));
}

function expectCalm({ lost, twice, refusedJoins, unready }: FleetReport): void {
  const calm = { lost: 0, twice: 0, refusedJoins: {}, unready: Array.from({ length: WORKERS }, () => 0) };
  expect({ lost, twice, refusedJoins, unready }).toEqual(calm);
}

describe('While a Redis Cluster is in motion', () => {
  it(
    'a fleet loses nothing, refuses no join, has no worker out of service, and leaves a node that has no slots any more',
    async () => {
      const work = async (moving: RedisCluster): Promise<void> => {
        let added = 0;
        await halfMoveLeases(moving, async () => void (added = await moving.add()));
        const slots = (await moving.slotsOf(1)).filter((slot) => SHARDS.has(slot)).slice(0, 5);
        await moving.reshard(slots, 1, added);
        await moving.failOver(REPLICA);
        await moving.reshard(slots, added, 2);
        await moving.deserted(added, 'pxl:');
        await moving.remove(added);
      };
      const meet = (): Promise<FleetReport> => fleetMeets('a little of everything', 'sharded', work, withReplica);
      let report = await meet();
      // On a machine so busy that Redis is silent for a second a worker says so, and is out of service: that is no fault.
      for (let repeats = 0; repeats < REPEATS && report.unready.some((ms) => ms > 0); repeats++) {
        await end();
        report = await meet();
      }
      expectCalm(report);
    },
    PATIENCE,
  );

  const soak = isSoak ? describe.each(['classic', 'sharded'] as const) : describe.skip.each(['classic'] as const);
  soak('a fleet that is %s', (kind) => {
    it(
      'goes on through a reshard of 5,461 slots',
      async () => {
        const work = async (moving: RedisCluster): Promise<void> => moving.reshard(await moving.slotsOf(0), 0, 1);
        expectCalm(await fleetMeets('5,461 slots move', kind, work));
      },
      PATIENCE,
    );

    it(
      'goes on while a node is added and another one removed',
      async () => {
        const work = async (moving: RedisCluster): Promise<void> => {
          const added = await moving.add();
          await moving.reshard((await moving.slotsOf(0)).slice(0, 2_000), 0, added);
          await moving.reshard(await moving.slotsOf(1), 1, 2);
          await new Promise((resolve) => setTimeout(resolve, 1_000));
          await moving.remove(1);
        };
        expectCalm(await fleetMeets('a node is added, another removed', kind, work));
      },
      PATIENCE,
    );

    it(
      'goes on through manual failovers',
      async () => {
        const work = async (moving: RedisCluster): Promise<void> => {
          await moving.failOver(REPLICA);
          await moving.failOver(0);
        };
        expectCalm(await fleetMeets('two failovers', kind, work, withReplica));
      },
      PATIENCE,
    );

    it(
      'goes on while the slot of the leases is half moved',
      async () => {
        expectCalm(await fleetMeets('the slot of the leases is half moved', kind, (moving) => halfMoveLeases(moving)));
      },
      PATIENCE,
    );

    it(
      'goes on whole when nodes that live are removed as soon as they are empty',
      async () => {
        const work = async (moving: RedisCluster): Promise<void> => {
          for (const node of [2, 1]) {
            await moving.reshard(await moving.slotsOf(node), node, 0);
            await moving.remove(node);
          }
        };
        expect(await fleetMeets('two nodes are removed', kind, work)).toMatchObject({ lost: 0, twice: 0 });
      },
      PATIENCE,
    );
  });
});
