import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { ClientRecord } from '../../lib/cluster/registry/client-record.js';
import type { SharedState } from '../../lib/cluster/presence/shared-state.js';
import { readHint, writeHint, type Hint } from '../../lib/cluster/registry/hint.js';
import { LEASE } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { RegistryCluster } from '../support/registry-cluster.js';
import type { RegistryWorker } from '../support/registry-worker.js';
import { until } from '../support/until.js';

const PATIENCE = 15_000 + 5 * LEASE;

const ghost: ClientRecord = { clientId: 'ghost', connectedAt: 1, user: null, metadata: {}, rooms: [] };
const connected = { kind: 'connected', record: ghost } as const;

let server: RedisServer;
let cluster: RegistryCluster;
let one: RegistryWorker;
let two: RegistryWorker;
/** The last hint of `one` that `two` has heard. */
let last: Hint;

beforeEach(async () => {
  server = await RedisServer.start();
  cluster = new RegistryCluster(server, { lease: LEASE });
  last = { kind: 'changes', workerId: 'one', incarnation: 0, seq: 0, changes: [] };
  [one, two] = await cluster.start(['one', 'two']);
  two.loses = (text): boolean => {
    const hint = readHint(text);
    if (hint?.workerId === 'one') last = hint;
    return false;
  };
  one.join(one.connect(), 'chess', { joinedAt: 1 });
  await two.learns(one);
  await until(() => last.seq > 0);
});

afterEach(async () => {
  const faults = await cluster.end();
  await server.stop();
  expect(faults).toEqual([]);
});

/** A stranger tells this of `one`, and `two` has heard it. */
async function forge(hint: Partial<Hint>): Promise<void> {
  const { prefix } = cluster;
  const { junk } = two.registry.counts;
  await server.command('PUBLISH', `${prefix}:registry`, writeHint({ ...last, changes: [], ...hint }));
  await server.command('PUBLISH', `${prefix}:registry`, 'the end');
  await until(() => two.registry.counts.junk > junk);
}

it.each<[what: string, hint: () => Partial<Hint>]>([
  ['another client', () => ({ seq: last.seq + 1, changes: [connected] })],
  ['the end of its client', () => ({ seq: last.seq + 1, changes: [goneOf('one.1')] })],
  ['the state of its member', () => ({ seq: last.seq + 1, states: [stateOf('one.1')] })],
  ['much that was missed', () => ({ seq: 1e15, changes: [connected] })],
  ['a new incarnation', () => ({ incarnation: 1e15, changes: [connected] })],
  ['a new incarnation that has entered', () => ({ kind: 'entered', incarnation: 1e15 })],
  ['its own end', () => ({ kind: 'left' })],
  ['its death', () => ({ kind: 'dead' })],
])(
  'a stranger who tells of %s in the name of a worker is found out',
  async (_, hintOf) => {
    await forge(hintOf());
    await eventually('the view is right', () => two.knows(one), PATIENCE);
    // Also where the worker goes on at once.
    const told = one.connect();
    await forge(hintOf());
    one.update(told, 'theme', 'dark');
    await eventually('the view is right', () => two.knows(one), PATIENCE);
    const { gaps } = two.registry.counts;
    one.connect();
    await eventually('the view is right', () => two.knows(one), PATIENCE);
    expect(two.registry.counts.gaps).toBe(gaps);
    // A busy machine may have missed a renewal.
    await until('both have their leases', () => one.registry.isReady && two.registry.isReady);
    expect([one, two].map(({ registry }) => registry.workers.size)).toEqual([1, 1]);
  },
  PATIENCE,
);

it.each(['changes', 'entered', 'left', 'dead'] as const)(
  'a worker without a lease is none, whatever is told of it: %s',
  async (kind) => {
    await forge({ kind, workerId: 'ghost', changes: [connected] });
    await until('it has its lease', () => two.registry.isReady);
    expect([two.registry.workers.size, two.view.size]).toEqual([1, 1]);
  },
);

function stateOf(clientId: string): SharedState {
  return { clientId, roomName: 'chess', state: 'forged', stateAt: 2 };
}

function goneOf(clientId: string): Hint['changes'][number] {
  return { kind: 'disconnected', clientId, code: 1000, reason: '' };
}
