import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { RegistryKeys } from '../../lib/cluster/registry/registry-keys.js';
import { eventually } from '../../lib/testing/eventually.js';
import { LEASE } from '../support/cluster-periods.js';
import { RedisServer } from '../support/redis-server.js';
import { RegistryCluster } from '../support/registry-cluster.js';
import type { RegistryWorker } from '../support/registry-worker.js';
import { until } from '../support/until.js';

const GRACE = 60_000;

let server: RedisServer;
let cluster: RegistryCluster;

beforeAll(async () => {
  server = await RedisServer.start();
});

beforeEach(() => {
  cluster = new RegistryCluster(server, { grace: GRACE });
});

afterEach(async () => {
  expect(await cluster.end()).toEqual([]);
});

afterAll(() => server.stop());

/** The client's record as it is in Redis. */
async function recordOf(worker: RegistryWorker, clientId: string): Promise<string | undefined> {
  const [key] = await cluster.keysOf(worker.name);
  return (await server.command<(string | null)[]>('HMGET', key!, clientId))[0] ?? undefined;
}

async function fieldsOf(worker: RegistryWorker): Promise<string[]> {
  const [key] = await cluster.keysOf(worker.name);
  return (await server.command<string[]>('HKEYS', key!)).sort();
}

function absentIds(): Promise<string[]> {
  return server.command('HKEYS', new RegistryKeys(cluster.prefix).absent);
}

it('a member, its description and its state are known to every worker, and to one that starts later', async () => {
  const [here, there] = await cluster.start(['here', 'there']);
  const [ada, bob] = [here.connect(), here.connect()];
  here.join(ada, 'chess', { joinedAt: 1, profile: { team: 'red' } });
  here.join(bob, 'chess', { joinedAt: 2, state: 'here from the first moment', stateAt: 2 });
  await there.learns(here);
  here.describe(ada, 'chess', {
    username: 'Ada',
    presence: { joinedAt: 1, profile: { team: 'blue' }, describedAt: 3 },
  });
  here.setState(ada, 'chess', { away: true }, 4);
  await there.learns(here);
  here.setState(bob, 'chess', null, 5);
  await there.learns(here);
  here.describe(ada, 'chess', {
    username: 'Countess',
    presence: { joinedAt: 1, describedAt: 6, state: { away: true }, stateAt: 4 },
  });
  await there.learns(here);
  const [late] = await cluster.start(['late']);
  await late.learns(here);
  expect(there.told.filter((told) => told.startsWith('joined'))).toEqual([
    `joined ${ada} chess`,
    `joined ${bob} chess`,
  ]);
});

it('a change of state writes a field of its own and not the client, and many in one turn are one', async () => {
  const [here, there] = await cluster.start(['here', 'there']);
  const client = here.connect();
  for (let room = 0; room < 10; room++) here.join(client, `room ${room}`, { joinedAt: room });
  await there.learns(here);
  const before = await recordOf(here, client);
  const hints: string[] = [];
  there.loses = (text): boolean => hints.push(text) === 0;
  for (let at = 1; at <= 100; at++) here.setState(client, 'room 3', at, at);
  await there.learns(here);
  expect(await recordOf(here, client)).toBe(before);
  expect(hints).toHaveLength(1);
  expect(JSON.parse(hints[0]!)).toMatchObject({
    changes: [],
    states: [{ clientId: client, roomName: 'room 3', state: 100, stateAt: 100 }],
  });
  expect(await fieldsOf(here)).toEqual(['', client, JSON.stringify([client, 'room 3'])].sort());
});

it('a state goes with its membership', async () => {
  const [here, there] = await cluster.start(['here', 'there']);
  const [ada, bob] = [here.connect(), here.connect()];
  for (const client of [ada, bob]) {
    for (const room of ['chess', 'tea']) here.join(client, room, { joinedAt: 1, state: room, stateAt: 1 });
  }
  await there.learns(here);
  here.leave(ada, 'chess');
  here.disconnect(bob);
  await there.learns(here);
  expect(await fieldsOf(here)).toEqual(['', ada, JSON.stringify([ada, 'tea'])].sort());
  // It comes again in the same turn, without a state.
  here.leave(ada, 'tea');
  here.join(ada, 'tea', { joinedAt: 2 });
  await there.learns(here);
  expect(await fieldsOf(here)).toEqual(['', ada].sort());
});

it('200 clients with a state in each of 30 rooms are written at once, and known to one that starts meanwhile', async () => {
  const [here] = await cluster.start(['here']);
  const clients = Array.from({ length: 200 }, () => here.connect());
  for (const client of clients) {
    for (let room = 0; room < 30; room++) here.join(client, `room ${room}`, { joinedAt: 1, state: room, stateAt: 1 });
  }
  const [there] = await cluster.start(['there']);
  await there.learns(here);
  for (const client of clients) here.disconnect(client);
  await until('nobody is left', () => there.view.get('here') === undefined);
});

it('a snapshot after missed hints tells what is new of members, and nothing twice', async () => {
  const [here, there] = await cluster.start(['here', 'there'], { lease: LEASE });
  const [ada, bob] = [here.connect(), here.connect()];
  for (const client of [ada, bob]) here.join(client, 'chess', { joinedAt: 1, state: 'new', stateAt: 1 });
  await there.learns(here);
  there.loses = (text): boolean => text.includes('"states"');
  here.setState(ada, 'chess', 'missed', 2);
  await until('it was sent', () => here.registry.counts.snapshots > 0);
  there.told.length = 0;
  await eventually('the mirror is repaired', () => there.knows(here), 10 * LEASE);
  expect(there.told).toEqual([`described ${ada} chess`]);
});

it('who is lost stays for the grace, in the view of every worker and for those that start', async () => {
  const [here, there, third] = await cluster.start(['here', 'there', 'third'], { lease: LEASE });
  const [ada, bob] = [here.connect({ userId: 'ada', payload: {} }), here.connect()];
  here.join(ada, 'chess', { joinedAt: 1 });
  here.setState(ada, 'chess', 'away', 2);
  here.join(bob, 'tea');
  await Promise.all([there.learns(here), third.learns(here)]);
  const before = Date.now();
  await here.kill();
  await until('it is taken for dead', () => [there, third].every(({ view }) => !view.has('here')), 15_000);
  for (const { stayed } of [there, third]) {
    expect([...stayed.keys()]).toEqual([`${ada} chess`, `${bob} tea`]);
    for (const at of stayed.values()) expect(at! - before).toBeGreaterThan(GRACE);
  }
  await cluster.forgets('here');
  const late = cluster.begin('late', { lease: LEASE });
  await late.started();
  expect([...late.absents.keys()].sort()).toEqual([ada, bob]);
  expect(late.absents.get(ada)).toMatchObject({
    clientId: ada,
    userId: 'ada',
    rooms: [{ roomName: 'chess', shared: { joinedAt: 1, state: 'away', stateAt: 2 } }],
  });
});

it('who starts alone knows the members of a worker that has died, although nobody was there to remove its data', async () => {
  const lease = 400;
  const [here] = await cluster.start(['here'], { lease });
  const client = here.connect();
  here.join(client, 'chess', { joinedAt: 1, state: 'away', stateAt: 1 });
  await eventually('it is written', async () => (await recordOf(here, client))?.includes('chess') === true);
  await here.kill();
  const { leases } = new RegistryKeys(cluster.prefix);
  await eventually('its lease is over', async () => {
    const [fields, [seconds]] = await Promise.all([
      server.command<string[]>('HGET', leases, 'worker:here'),
      server.command<string[]>('TIME'),
    ]);
    return Number(String(fields).split(' ')[0]) < Number(seconds) * 1_000;
  });
  const late = cluster.begin('late', { lease });
  await late.started();
  expect([...late.absents.values()]).toMatchObject([{ clientId: client, rooms: [{ shared: { state: 'away' } }] }]);
});

it('a stopping worker leaves its members for those that start', async () => {
  const [here, there] = await cluster.start(['here', 'there']);
  const client = here.connect();
  here.join(client, 'chess', { joinedAt: 1, state: 'away', stateAt: 1 });
  await there.learns(here);
  const before = Date.now();
  await here.registry.stop(5_000);
  await until('it has left', () => there.registry.workers.size === 0);
  expect(there.stayed.get(`${client} chess`)! - before).toBeGreaterThanOrEqual(GRACE + 5_000);
  const late = cluster.begin('late');
  await late.started();
  expect([...late.absents.values()]).toMatchObject([{ clientId: client, rooms: [{ shared: { state: 'away' } }] }]);
});

it('an absent client is kept before its record goes, forgotten by any worker, and not for longer than it stays', async () => {
  const [here, there] = await cluster.start(['here', 'there']);
  const clients = Array.from({ length: 3 }, () => here.connect());
  const [ada, bob, cid] = clients as [string, string, string];
  const stay = (clientId: string, ms: number): void => {
    const rooms = [{ roomName: 'chess', username: undefined, shared: { joinedAt: 1 }, until: Date.now() + ms }];
    here.registry.keepAbsent({ clientId, userId: undefined, resume: 'hash', rooms });
    here.disconnect(clientId);
  };
  stay(ada, GRACE);
  stay(bob, GRACE);
  stay(cid, 300);
  await there.learns(here);
  expect((await absentIds()).sort()).toEqual([ada, bob, cid].sort());
  there.registry.forgetAbsent(ada);
  await eventually('it is forgotten', async () => !(await absentIds()).includes(ada));
  await eventually('the grace is over', async () => {
    const late = cluster.begin(`late ${Math.random()}`);
    await late.started();
    return late.absents.size === 1 && late.absents.has(bob);
  });
  expect(await absentIds()).toEqual([bob]);
  const life = Number(await server.command('PTTL', new RegistryKeys(cluster.prefix).absent));
  expect(life).toBeGreaterThan(GRACE);
  expect(life).toBeLessThanOrEqual(2 * GRACE);
});

it('without presence none of this is in Redis', async () => {
  const plain = new RegistryCluster(server);
  const [here, there] = await plain.start(['here', 'there']);
  const client = here.connect();
  here.join(client, 'chess');
  await there.learns(here);
  await here.registry.stop();
  await until('it has left', () => there.registry.workers.size === 0);
  expect(there.stayed.get(`${client} chess`)).toBeUndefined();
  expect(await server.command('EXISTS', new RegistryKeys(plain.prefix).absent)).toBe(0);
  expect(await plain.end()).toEqual([]);
});
