import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import { WebSocketClient } from '../../../lib/client/index.js';
import { RedisServer } from '../redis-server.js';
import { untilAnswered, type Check, type SuitePlace } from './suite-place.js';
import type { SuiteProcess } from './suite-process.js';

/** ms */
const CLUSTER = { lease: 1_500, probe: 400 };

interface Fleet {
  readonly redis: RedisServer;
  readonly workers: readonly [SuiteProcess, SuiteProcess];
}

/** Two workers that know each other. */
async function withFleet(place: SuitePlace, work: (fleet: Fleet) => Promise<void>): Promise<void> {
  const redis = await RedisServer.start();
  try {
    const options = { redis: redis.url, cluster: CLUSTER, shutdown: { reconnectSpread: 500 } };
    const [one, other] = await Promise.all([place.start({ options }), place.start({ options })]);
    await work({ redis, workers: [one, other] });
  } finally {
    await place.clear();
    await redis.stop();
  }
}

/** Two workers that meet in a Redis. */
export const CLUSTER_CHECKS: Record<string, Check> = {
  'two workers deliver to each other, one is killed, the other drains': (place) =>
    withFleet(place, async ({ workers: [one, other] }) => {
      const [ada, bo] = await Promise.all([one.client('/ws?token=ada'), other.client('/ws?token=bo')]);
      for (const client of [ada, bo]) await client.join('tea');

      for (const [from, to] of [[ada, bo] as const, [bo, ada] as const]) {
        await from.request('suite', 'flood', { room: 'tea', count: 300, bytes: 1_000 });
        for (const client of [from, to]) {
          for (let n = 0; n < 300; n++) assert.equal(((await client.next('flood')).data as { n: number }).n, n);
        }
      }
      const tell = { userId: 'bo', text: 'psst' };
      const told = await untilAnswered<{ online: boolean; count: number }>(
        ada,
        'tell',
        tell,
        ({ count }) => count === 1,
      );
      assert.equal(told.online, true);
      assert.equal((await bo.next('news', 'personal')).data, 'psst');

      await other.kill();
      assert.equal((await bo.closed).code, 1006);
      await untilAnswered<{ online: boolean }>(ada, 'tell', tell, ({ online }) => !online);
      assert.ok([0, 143, 'SIGTERM'].includes(await one.stop()));
      assert.equal((await ada.closed).code, 1001);
    }),

  'who is closed with 1012 misses nothing of a room with history': (place) =>
    withFleet(place, async ({ workers: [one, other] }) => {
      const speaker = await other.client();
      let url = one.url();
      /** Goes where a proxy in front of both would send it. */
      class Proxied extends WebSocket {
        constructor(_url: string, protocols?: string[]) {
          super(url, protocols);
        }
      }
      const client = new WebSocketClient({ url, webSocket: Proxied, reconnect: { minDelay: 20, maxDelay: 100 } });
      try {
        const heard: unknown[] = [];
        const lost = new Promise<number>((resolve) => {
          client.onState((event) => {
            if (event.state === 'reconnecting') resolve(event.code);
          });
        });
        const last = new Promise<void>((resolve) => {
          client.on('news', 'flash', (data) => {
            heard.push(data);
            if (data === 4) resolve();
          });
        });
        await client.connect();
        await client.join('log');
        for (const text of [1, 2]) await speaker.request('suite', 'push', { room: 'log', text });
        url = other.url();
        const stopped = one.stop();
        assert.equal(await lost, 1012);
        for (const text of [3, 4]) await speaker.request('suite', 'push', { room: 'log', text });
        await last;
        assert.deepEqual(heard, [1, 2, 3, 4]);
        await stopped;
      } finally {
        client.destroy();
      }
    }),

  'who is in a room is known to both': (place) =>
    withFleet(place, async ({ workers: [one, other] }) => {
      const [ada, bo] = await Promise.all([one.client('/ws?token=ada'), other.client('/ws?token=bo')]);
      await ada.join('who', { presence: true });
      await bo.join('who');
      const { data } = await ada.next('room', 'presence');
      assert.equal((data as { count: number }).count, 2);
      const { members } = await ada.members('who');
      assert.deepEqual(members.map(({ userId }) => userId).sort(), ['ada', 'bo']);
    }),
};
