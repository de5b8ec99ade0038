import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keySlotOf } from '../../lib/redis/topology/key-slot.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { TestRoomStore } from '../support/test-room-store.js';
import { until } from '../support/until.js';

const UNAVAILABLE = { code: 'UNAVAILABLE', retryable: true };

/** Until the store works again, after its Redis was away. */
async function healed({ testLink, store }: TestRoomStore): Promise<void> {
  const retention = { size: 1, ttl: 1_000, metaTtl: 3_600_000 };
  const works = (): Promise<boolean> =>
    store.top('any', retention).then(
      () => testLink.link.isReady,
      () => false,
    );
  await eventually('Redis can be used', works, 15_000);
}

describe('The epoch of a room', () => {
  /** One that notices another master, and one that does not, through the same network. */
  async function both(port: number): Promise<[TestRoomStore, TestRoomStore]> {
    const redis = `redis://127.0.0.1:${port}`;
    return Promise.all([
      TestRoomStore.ready({ redis }),
      TestRoomStore.ready({ redis, name: 'careless', seesFailover: false }),
    ]);
  }

  it.concurrent('is a new one under another master, which may lack messages', async () => {
    const master = await RedisServer.start('--repl-diskless-sync-delay', '0');
    const [network, replication] = [await TcpProxy.before(master.port), await TcpProxy.before(master.port)];
    const [store, careless] = await both(network.port);
    const alone = await store.append('tea', 'a');

    // A master gets another replication id with its first replica: Redis has not kept what that one would need.
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', String(replication.port));
    await eventually('the replica follows', async () =>
      (await replica.command<string>('INFO', 'replication')).includes('master_link_status:up'),
    );
    const before = await store.append('tea', 'a');
    expect(before).toMatchObject({ offset: 1 });
    expect(before.epoch).not.toBe(alone.epoch);
    const kept = await careless.append('coffee', 'a');
    await master.command('WAIT', 1, 5_000);

    // A replica answers nothing: it may be behind.
    const reader = await TestRoomStore.ready({ redis: replica.url, name: 'reader' });
    await expect(reader.top('tea')).rejects.toMatchObject({ ...UNAVAILABLE, cause: { message: /^READONLY / } });
    await expect(reader.append('tea', 'b')).rejects.toMatchObject(UNAVAILABLE);
    await reader.stop();

    replication.blackHole();
    await expect(store.append('tea', 'lost')).resolves.toMatchObject({ ...before, offset: 2 });
    await expect(careless.append('coffee', 'lost')).resolves.toMatchObject({ offset: 2 });
    network.target = replica.port;
    await master.kill();
    await replica.command('REPLICAOF', 'NO', 'ONE');
    await healed(store);
    await healed(careless);
    const top = await store.top('tea');
    expect(top.offset).toBe(0);
    expect(top.epoch).not.toBe(before.epoch);
    await expect(store.append('tea', 'b')).resolves.toEqual({ ...top, offset: 1, isRepeated: false });
    // The other counts on as if nothing were lost: the second message is another one than members have got.
    await expect(careless.top('coffee')).resolves.toEqual({ epoch: kept.epoch, offset: 1 });
    await expect(careless.append('coffee', 'b')).resolves.toMatchObject({ epoch: kept.epoch, offset: 2 });

    await Promise.all([store.stop(), careless.stop()]);
    await Promise.all([network.close(), replication.close(), replica.stop(), master.stop()]);
  });

  it.concurrent('is a new one after Redis has restarted, with its data or without', async () => {
    const redis = await RedisServer.start();
    const [store, careless] = await both(redis.port);
    const [first, kept] = [await store.append('tea', 'a'), await careless.append('coffee', 'a')];
    await redis.kill();
    await expect(store.append('tea', 'refused')).rejects.toMatchObject(UNAVAILABLE);
    await redis.run();
    await healed(store);
    const second = await store.top('tea');
    expect(second).not.toEqual({ epoch: first.epoch, offset: 1 });
    await expect(store.kept('tea')).resolves.toEqual([]);
    await healed(careless);
    await expect(careless.kept('coffee')).resolves.toEqual(['a']);
    await redis.kill();
    await redis.forget();
    await redis.run();
    await healed(store);
    await healed(careless);
    expect((await store.top('tea')).epoch).not.toBe(second.epoch);
    expect((await careless.top('coffee')).epoch).not.toBe(kept.epoch);
    await Promise.all([store.stop(), careless.stop()]);
    await redis.stop();
  });
});

describe('A slot that is being moved', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await RedisCluster.start();
  });

  afterAll(() => cluster.stop());

  it.each([false, true])('carries its rooms, old and new ones, sharded: %s', async (sharded) => {
    const redis = { cluster: cluster.startupNodes, sharded };
    const names = { prefix: sharded ? 'sharded' : 'classic', sharded };
    const [store, other] = await Promise.all([
      TestRoomStore.ready({ redis, ...names }),
      TestRoomStore.ready({ redis, ...names, name: 'other' }),
    ]);
    const slotOf = (room: string): number => keySlotOf(store.key(room));
    // Three rooms of one slot, which the first node serves.
    const slots = new Set(await cluster.slotsOf(0));
    const bySlot = new Map<number, string[]>();
    let found: string[] | undefined;
    for (let at = 0; !found; at++) {
      const slot = slotOf(`room ${at}`);
      const rooms = [...(bySlot.get(slot) ?? []), `room ${at}`];
      bySlot.set(slot, rooms);
      if (rooms.length === 3 && slots.has(slot)) found = rooms;
    }
    const [old, fresh, unused] = found as [string, string, string];
    const slot = slotOf(old);
    if (sharded) expect(slot).toBe(keySlotOf(store.channels.room(old)));
    for (const room of [old, fresh]) await other.hear(room);
    const before = await store.append(old, 'a');

    const finish = await cluster.halfMove([slot], 0, 1);
    await expect(store.append(old, 'b')).resolves.toEqual({ ...before, offset: 2 });
    await expect(store.append(fresh, 'a')).resolves.toMatchObject({ offset: 1 });
    await expect(store.append(fresh, 'b')).resolves.toMatchObject({ offset: 2 });
    await expect(other.kept(old)).resolves.toEqual(['a', 'b']);
    await expect(other.kept(fresh)).resolves.toEqual(['a', 'b']);
    await expect(other.top(unused)).resolves.toMatchObject({ offset: 0 });
    await finish();
    // Another master, which may have lost some: a new epoch.
    const after = await store.append(old, 'c');
    expect(after.offset).toBe(1);
    expect(after.epoch).not.toBe(before.epoch);
    await until('it is heard', () => other.heard.includes('1 c'));
    if (sharded) {
      const { value } = [...store.testLink.link.metrics()].find(({ name }) => name.includes('detoured'))!;
      expect(value).toBeGreaterThan(0);
    }
    await Promise.all([store.stop(), other.stop()]);
  });
});
