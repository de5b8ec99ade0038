import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Audience } from '../support/audience.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

const news = { type: 'news', action: 'flash', data: { text: 'hello' } };

/** What a pattern, a hash tag, a line of the protocol, or another channel of ours would be written with. */
const names = [
  'chess',
  '*',
  'a?[b]',
  'aXb',
  '{x}',
  'x',
  '%7Bx%7D',
  'pxl:broadcast',
  'pxl:room:chess',
  'broadcast',
  'a\r\nPUBLISH pxl:room:chess hello',
  '\u0000',
  '__proto__',
  '🎲',
];

let cluster: TestCluster;
let caller: WorkerProcess;
let other: WorkerProcess;

beforeAll(async () => {
  cluster = await TestCluster.start({ workers: 2, isDirect: true, program: 'cluster-host' });
  [caller, other] = cluster.workers as [WorkerProcess, WorkerProcess];
});

afterAll(() => cluster.close());

async function joined(worker: WorkerProcess, roomName: string, userId: string): Promise<TestClient> {
  const client = await worker.client({ userId });
  const join = { clientIds: [client.clientId], rooms: [roomName] };
  await worker.run(({ service }, move) => service.joinRooms(move), join);
  return client;
}

it('workers of two hosts with the same slot in node:cluster deliver to each other, once', async () => {
  for (const worker of cluster.workers) {
    expect(await worker.run(({ slot }) => slot)).toBe(1);
  }
  const [here, there] = [await joined(caller, 'chess', '7'), await joined(other, 'chess', '7')];
  const audience = new Audience({ here, there });
  for (const worker of cluster.workers) {
    await worker.run(({ service }, message) => service.broadcast(message), news);
    await audience.expectReached(worker, ['here', 'there'], news);
    await worker.run(({ service }, message) => service.sendToRooms(['chess'], message), news);
    await audience.expectReached(worker, ['here', 'there'], news);
  }
  await audience.close();
});

describe('a name is nothing but a name', () => {
  let audience: Audience;

  beforeAll(async () => {
    // Of a room and a user of one name the other way round, so that no one is meant by both.
    const clients = names.map(async (name, at) => [name, await joined(other, name, names.at(at - 1)!)] as const);
    audience = new Audience(new Map(await Promise.all(clients)));
  });

  afterAll(() => audience.close());

  it.each(names)('the room %j gets its own messages and no others', async (name) => {
    await caller.run(({ service }, [room, message]) => service.sendToRooms([room], message), [name, news] as const);
    await audience.expectReached(caller, [name], news);
  });

  it.each(names)('the user %j gets its own messages and no others', async (name) => {
    await caller.run(({ service }, [user, message]) => service.sendToUsers([user], message), [name, news] as const);
    await audience.expectReached(caller, [names[(names.indexOf(name) + 1) % names.length]!], news);
  });
});
