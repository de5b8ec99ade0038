import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Audience } from '../support/audience.js';
import { eventually } from '../../lib/testing/eventually.js';
import { refused } from '../support/refused.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** What "at once" is, ms. */
const AT_ONCE = 500;
const BACK = 10_000;

const news = { type: 'news', action: 'flash', data: 'hello' };

let cluster: TestCluster;
let one: WorkerProcess;
let two: WorkerProcess;
let ada: TestClient;
let bob: TestClient;

async function start(joinWhenDegraded?: boolean): Promise<void> {
  cluster = await TestCluster.start({ workers: 2, options: { rooms: { open: true }, cluster: { joinWhenDegraded } } });
  [one, two] = cluster.workers as [WorkerProcess, WorkerProcess];
  [ada, bob] = [await one.client(), await one.client()];
  await ada.join('tea');
  await cluster.redis.kill();
  await eventually('the worker has noticed', () => one.run(({ service }) => !service.getWebSocketHealth().ready));
}

afterEach(() => cluster.close());

function joinRoom(roomName: string, { clientId }: TestClient): Promise<void> {
  return one.run(({ service }, move) => service.joinRooms(move), { clientIds: [clientId], rooms: [roomName] });
}

function sendTo(roomName: string, from: WorkerProcess): Promise<void> {
  return from.run(({ service }, given) => service.sendToRooms([given.roomName], given.news), { roomName, news });
}

describe('with cluster.joinWhenDegraded, while Redis cannot be reached', () => {
  beforeEach(() => start(true));

  it('joins of rooms that the worker does not hear are granted, and the rooms hear all workers once it is back', async () => {
    const begin = performance.now();
    await joinRoom('chess', ada);
    await bob.join('go');
    expect(performance.now() - begin).toBeLessThan(AT_ONCE);
    await expect(sendTo('chess', one)).rejects.toThrow(refused('UNAVAILABLE'));
    expect(await ada.next()).toEqual(news);

    await cluster.redis.run();
    await cluster.converged(cluster.workers, BACK);
    const audience = new Audience({ ada, bob });
    for (const sender of [one, two]) {
      await sendTo('chess', sender);
      await audience.expectReached(sender, ['ada'], news);
      await sendTo('go', sender);
      await audience.expectReached(sender, ['bob'], news);
    }
  });

  it('a room that is left again before Redis is back is heard no more', async () => {
    await joinRoom('chess', ada);
    await one.run(({ service }, id) => service.leaveRooms({ clientIds: [id], rooms: ['chess'] }), ada.clientId);
    await cluster.redis.run();
    await cluster.converged(cluster.workers, BACK);
    expect(await cluster.redis.command('PUBSUB', 'CHANNELS', 'pxl:room:*')).toEqual(['pxl:room:tea']);
  });
});

it('without cluster.joinWhenDegraded such joins are refused at once, and leave nothing behind', async () => {
  await start();
  const begin = performance.now();
  await expect(joinRoom('chess', ada)).rejects.toThrow(refused('UNAVAILABLE'));
  await expect(bob.join('go')).rejects.toThrow(/^UNAVAILABLE/);
  // The worker has a member there.
  await bob.join('tea');
  expect(performance.now() - begin).toBeLessThan(AT_ONCE);
  await expect(sendTo('tea', one)).rejects.toThrow(refused('UNAVAILABLE'));
  for (const client of [ada, bob]) expect(await client.next()).toEqual(news);
  // The last one that leaves takes the worker's interest with it.
  await one.run(({ service }, id) => service.leaveRooms({ clientIds: [id], rooms: ['tea'] }), ada.clientId);

  await cluster.redis.run();
  await cluster.converged(cluster.workers, BACK);
  expect(await cluster.redis.command('PUBSUB', 'CHANNELS', 'pxl:room:*')).toEqual(['pxl:room:tea']);
  const audience = new Audience({ ada, bob });
  await sendTo('tea', two);
  await audience.expectReached(two, ['bob'], news);
  for (const room of ['chess', 'go']) {
    await sendTo(room, two);
    await audience.expectReached(two, [], news);
  }
});
