import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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

async function start(mirror: boolean): Promise<void> {
  cluster = await TestCluster.start({ options: { rooms: { open: true, announce: true }, cluster: { mirror } } });
  const [one, two, third] = cluster.workers as [WorkerProcess, WorkerProcess, WorkerProcess];
  victim = third;
  [ada, bo, lost] = [await one.client(), await two.client(), await victim.client({ userId: '7' })];
  await ada.request('system', 'joinRoom', { roomName: 'chess', username: 'Ada' });
  await bo.request('system', 'joinRoom', { roomName: 'chess', username: 'Bo' });
  await ada.next('room', 'memberJoined');
  await lost.request('system', 'joinRoom', { roomName: 'chess', username: 'Seven' });
  for (const client of [ada, bo]) await expectTold(client, 'memberJoined', { username: 'Seven' });
}

/** Fails unless the next message tells a member of the room about the victim's client. */
async function expectTold(client: TestClient, action: string, details: object = {}): Promise<void> {
  const { clientId } = lost;
  const data = { roomName: 'chess', member: { clientId, userId: '7', ...details } };
  await eventually(`it is told: ${action}`, () => client.pending.length > 0, 10 * LEASE);
  expect(await client.next()).toEqual({ type: 'room', action, data });
}

async function expectSilence(): Promise<void> {
  for (const client of [ada, bo]) await client.expectNothing(LEASE / 4);
}

afterEach(() => cluster.close());

describe.each([
  ['with a mirror', true, { username: 'Seven' }],
  ['without one', false, {}],
] as const)('%s', (_, mirror, known) => {
  beforeEach(() => start(mirror), TIMEOUT);

  it(
    'the members of a killed worker are announced to have left, once to each other member',
    async () => {
      await victim.kill();
      for (const client of [ada, bo]) await expectTold(client, 'memberLeft', known);
      await expectSilence();
    },
    TIMEOUT,
  );

  it(
    'those of a worker that stood still for long are announced to have left, and to be back',
    async () => {
      victim.freeze();
      for (const client of [ada, bo]) await expectTold(client, 'memberLeft', known);
      victim.thaw();
      for (const client of [ada, bo]) await expectTold(client, 'memberJoined', { username: 'Seven' });
      await expectSilence();
      await lost.expectNothing();
    },
    TIMEOUT,
  );

  it(
    'those of a worker that stops are announced to have left once',
    async () => {
      await victim.stop();
      for (const client of [ada, bo]) await expectTold(client, 'memberLeft', { username: 'Seven' });
      await expectSilence();
    },
    TIMEOUT,
  );
});
