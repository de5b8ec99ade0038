import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RedisServer } from '../support/redis-server.js';
import { RegistryCluster } from '../support/registry-cluster.js';
import { until } from '../support/until.js';

const ada = { userId: 'ada', userType: 'admin', payload: { team: 'red' } };

let server: RedisServer;
let cluster: RegistryCluster;

beforeAll(async () => {
  server = await RedisServer.start();
});

beforeEach(() => {
  cluster = new RegistryCluster(server);
});

afterEach(async () => {
  expect(await cluster.end()).toEqual([]);
});

afterAll(() => server.stop());

describe('The registry', () => {
  it('tells the others every change of a client, in order, once', async () => {
    const [here, there] = await cluster.start(['here', 'there']);
    const client = here.connect();
    here.identify(client, ada);
    here.join(client, 'chess');
    here.update(client, 'theme', { dark: true });
    await there.learns(here);
    here.leave(client, 'chess');
    here.disconnect(client, 4001);
    await until(() => there.told.length === 6);
    expect(there.told).toEqual([
      `connected ${client}`,
      `identified ${client} ada`,
      `joined ${client} chess`,
      `updated ${client} theme`,
      `left ${client} chess`,
      `disconnected ${client} 4001`,
    ]);
    expect(here.told).toEqual([]);
  });

  it('reckons with others until it knows that there are none', async () => {
    const here = cluster.begin('here');
    expect(here.registry.mayHaveOthers).toBe(true);
    await here.started();
    expect(here.registry.mayHaveOthers).toBe(false);
    const [there] = await cluster.start(['there']);
    expect([here.registry.mayHaveOthers, there.registry.mayHaveOthers]).toEqual([true, true]);
    await there.registry.stop();
    await until(() => !here.registry.mayHaveOthers);
  });

  it('carries any name of a room, a user and a key as it is', async () => {
    const [here, there] = await cluster.start(['here', 'there']);
    for (const name of ['*', 'a?[b]', '{x}', 'test:{workers}:leases', 'CR\r\nLF', '', '__proto__', '\ud800', '😀']) {
      const client = here.connect({ userId: name, payload: {} });
      here.join(client, name);
      here.update(client, name === '' || name === '__proto__' ? 'key' : name, name);
    }
    await there.learns(here);
    const [late] = await cluster.start(['late']);
    expect(late.knows(here)).toBe(true);
  });

  it('gives a late joiner the whole view before it is ready', async () => {
    // One thread compares the views of all: it may be busy for longer than the usual lease of these tests.
    const [one, two] = await cluster.start(['one', 'two'], { lease: 3_000 });
    for (const worker of [one, two]) {
      for (let n = 0; n < 2_000; n++) worker.join(worker.connect({ ...ada, userId: `${n}` }), `room ${n % 10}`);
    }
    await Promise.all([one.learns(two), two.learns(one)]);
    const [late] = await cluster.start(['late'], { lease: 3_000 });
    expect(late.registry.isReady).toBe(true);
    expect([late.knows(one), late.knows(two)]).toEqual([true, true]);
    const connections = (): number[] => [...late.registry.workers.values()].map((worker) => worker.connections);
    await until('it reads how many clients they have', () => connections().every((count) => count === 2_000));
  });

  it('knows the clients that connected before it could enter', async () => {
    const [there] = await cluster.start(['there']);
    const here = cluster.begin('here');
    here.join(here.connect(), 'chess');
    await there.learns(here);
    expect(there.told).toEqual(['connected here.1', 'joined here.1 chess']);
  });

  it('writes what changes at once in few steps', async () => {
    const [here, there] = await cluster.start(['here', 'there']);
    for (let n = 0; n < 5_000; n++) here.connect();
    await there.learns(here);
    const [key] = await cluster.keysOf('here');
    expect(Number(await server.command('HGET', key!, ''))).toBeLessThan(100);
    expect(there.registry.counts).toMatchObject({ gaps: 0, snapshots: 1 });
  });

  it('tells of the clients of a worker that stops at once, and leaves nothing of it', async () => {
    const [here, there] = await cluster.start(['here', 'there'], { lease: 60_000 });
    for (let n = 0; n < 500; n++) here.join(here.connect(), 'chess');
    await there.learns(here);
    there.told.length = 0;
    await here.registry.stop();
    await until(() => there.told.length === 1_000);
    expect(there.told.slice(0, 2)).toEqual(['left here.1 chess', 'disconnected here.1 1012']);
    await until(() => there.registry.workers.size === 0);
    expect(there.registry.counts.deadWorkers).toBe(0);
    await cluster.forgets('here');
  });

  it('knows that the clients of a worker that stops were sent away, where it has missed what the worker told of them', async () => {
    const [here, there] = await cluster.start(['here', 'there'], { lease: 60_000 });
    for (let n = 0; n < 3; n++) here.connect();
    await there.learns(here);
    there.told.length = 0;
    there.loses = (text) => text.includes('"kind":"changes"');
    await here.registry.stop();
    await until(() => there.told.length === 3);
    expect(there.told).toEqual([1, 2, 3].map((n) => `disconnected here.${n} 1012`));
    expect(there.registry.counts.deadWorkers).toBe(0);
    here.clients.clear();
  });

  it('ends the clients of a killed worker once on every other, and leaves nothing of it', async () => {
    const [one, two, victim] = await cluster.start(['one', 'two', 'victim']);
    for (let n = 0; n < 300; n++) victim.join(victim.connect(), 'chess');
    await Promise.all([one.learns(victim), two.learns(victim)]);
    await victim.kill();
    victim.clients.clear();
    await Promise.all([one.learns(victim), two.learns(victim)]);
    for (const { told, registry } of [one, two]) {
      expect(told.slice(600, 602)).toEqual(['left victim.1 chess', 'disconnected victim.1 1006']);
      expect(told).toHaveLength(1_200);
      expect([...registry.workers.keys()]).not.toContain('victim');
      expect(registry.counts.deadWorkers).toBe(1);
    }
    await cluster.forgets('victim');
  });

  it('keeps two prefixes on one Redis apart', async () => {
    const [here] = await cluster.start(['here']);
    const other = new RegistryCluster(server);
    const [elsewhere] = await other.start(['elsewhere']);
    here.connect();
    elsewhere.connect();
    const [there] = await cluster.start(['there']);
    expect(there.told).toEqual(['connected here.1']);
    expect(elsewhere.registry.workers.size).toBe(0);
    expect(await other.end()).toEqual([]);
  });

  it('ignores and counts what is no hint on its channel', async () => {
    const [here, there] = await cluster.start(['here', 'there']);
    const hint = { kind: 'changes', workerId: 'here', incarnation: 1, seq: 2 };
    const junk = [
      '',
      'null',
      '[]',
      '{',
      '{"kind":"changes"}',
      JSON.stringify({ ...hint, changes: [{ kind: 'joined' }] }),
    ];
    for (const text of junk) await server.command('PUBLISH', there.registry.channel, text);
    here.connect();
    await there.learns(here);
    expect(there.registry.counts).toMatchObject({ junk: junk.length, gaps: 0 });
  });

  describe('without a mirror', () => {
    it('passes on what others tell, and keeps nothing', async () => {
      const [here] = await cluster.start(['here']);
      here.connect();
      const [there] = await cluster.start(['there'], { mirror: false });
      expect(there.told).toEqual([]);
      const client = here.connect();
      here.join(client, 'chess');
      await until(() => there.told.length === 2);
      expect(there.told).toEqual([`connected ${client}`, `joined ${client} chess`]);
      here.disconnect(client);
      await until(() => there.told.length === 4);
      expect(there.registry.counts.snapshots).toBe(0);
    });

    it('hears of the end of a killed worker’s clients, once', async () => {
      const [one, two, victim] = await cluster.start(['one', 'two', 'victim'], { mirror: false });
      for (let n = 0; n < 300; n++) victim.join(victim.connect(), 'chess');
      await Promise.all([one.learns(victim), two.learns(victim)]);
      await victim.kill();
      victim.clients.clear();
      await Promise.all([one.learns(victim), two.learns(victim)]);
      for (const { told } of [one, two]) {
        expect(told).toHaveLength(1_200);
        expect(told.at(-1)).toMatch(/^disconnected victim\.\d+ 1006$/);
      }
    });
  });
});
