import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { LEASE } from '../support/cluster-periods.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

const TIMEOUT = 10 * LEASE + 60_000;

let cluster: TestCluster;
let victim: WorkerProcess;
let ada: TestClient;
let bo: TestClient;
let lost: TestClient;

async function start(options: PxlWebSocketModuleOptions): Promise<void> {
  cluster = await TestCluster.start({ options });
  const [one, two, third] = cluster.workers as [WorkerProcess, WorkerProcess, WorkerProcess];
  victim = third;
  [ada, bo, lost] = [await one.client(), await two.client(), await victim.client({ userId: '7' })];
  await ada.request('system', 'joinRoom', { roomName: 'chess', username: 'Ada' });
  await bo.request('system', 'joinRoom', { roomName: 'chess', username: 'Bo' });
  await ada.next('room', 'memberJoined');
  await lost.request('system', 'joinRoom', { roomName: 'chess', username: 'Seven' });
  for (const client of [ada, bo]) await expectTold(client, 'memberJoined');
}

/** Fails unless the next message tells a member of the room about the victim's client. */
async function expectTold(client: TestClient, action: string): Promise<void> {
  const { clientId } = lost;
  const data = { roomName: 'chess', member: { clientId, userId: '7', username: 'Seven' } };
  await eventually(`it is told: ${action}`, () => client.pending.length > 0, 10 * LEASE);
  expect(await client.next()).toEqual({ type: 'room', action, data });
}

async function expectSilence(): Promise<void> {
  for (const client of [ada, bo]) await client.expectNothing(LEASE / 4);
}

afterEach(() => cluster.close());

describe.each<[string, PxlWebSocketModuleOptions]>([
  ['with a mirror', { rooms: { open: true, announce: true } }],
  ['without one', { rooms: { open: true, announce: true }, cluster: { mirror: false } }],
])('%s', (_, options) => {
  beforeEach(() => start(options), TIMEOUT);

  it(
    'the members of a killed worker are announced to have left, once to each other member',
    async () => {
      await victim.kill();
      for (const client of [ada, bo]) await expectTold(client, 'memberLeft');
      await expectSilence();
    },
    TIMEOUT,
  );

  it(
    'those of a worker that stood still for long are announced to have left, and to be back',
    async () => {
      victim.freeze();
      for (const client of [ada, bo]) await expectTold(client, 'memberLeft');
      victim.thaw();
      for (const client of [ada, bo]) await expectTold(client, 'memberJoined');
      await expectSilence();
      await lost.expectNothing();
    },
    TIMEOUT,
  );

  it(
    'those of a worker that stops are announced to have left once',
    async () => {
      await victim.stop();
      for (const client of [ada, bo]) await expectTold(client, 'memberLeft');
      await expectSilence();
    },
    TIMEOUT,
  );
});

describe('at an endpoint', () => {
  it(
    'the members of a killed worker are announced where it announces, whatever the others do',
    async () => {
      await start({ rooms: { open: true }, endpoints: { '/ws': { rooms: { announce: true } } } });
      await victim.kill();
      for (const client of [ada, bo]) await expectTold(client, 'memberLeft');
      await expectSilence();
    },
    TIMEOUT,
  );
});
