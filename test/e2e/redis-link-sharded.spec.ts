import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { keySlotOf } from '../../lib/redis/topology/key-slot.js';
import { shardedBy } from '../../lib/redis/subscriptions/pub-sub.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { TestLink } from '../support/redis-link.js';
import type { RedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';

const PATIENCE = 60_000;
const PARTITIONS = Array.from({ length: 256 }, (_, at) => `pxl:shard:${at}`);

/** Nodes without slots: one that takes a master's place, and one that dies. */
const [SUCCESSOR, DYING] = [3, 4];

/** One for all tests, which leave it as it was, but for the last ones: their order is what they leave. */
let cluster: RedisCluster;
let one: TestLink;
let two: TestLink;

beforeAll(async () => {
  cluster = await RedisCluster.start({ settings: ['--cluster-node-timeout', '2000'], spares: 2 });
}, PATIENCE);

beforeEach(async () => {
  const redis = { cluster: cluster.startupNodes, sharded: true };
  // Signed, so that the probes of the shards have to be understood too.
  const secrets = ['a secret of the cluster, 32 characters'] as const;
  one = new TestLink({ redis, secrets });
  two = new TestLink({ redis, secrets, name: 'two' });
  await Promise.all([one.ready(), two.ready()]);
}, PATIENCE);

afterEach(() => Promise.all([one.link.stop(), two.link.stop()]));

afterAll(() => cluster.stop());

/** Resolves once all are live: on a busy machine so many may take longer than `acquire` waits. */
async function hearAll({ link: { subscriptions } }: TestLink, channels: readonly string[]): Promise<void> {
  for (const channel of channels) subscriptions.want(channel);
  await until('all are live', () => channels.every((channel) => subscriptions.isLive(channel)));
}

/** Publishes to every channel until each message has been heard: what is published during a fault is lost. */
async function reachesAll(from: TestLink, to: TestLink, channels: readonly string[]): Promise<void> {
  const deadline = performance.now() + 10_000;
  let missing = [...channels];
  to.heard.length = 0;
  while (missing.length > 0 && performance.now() < deadline) {
    await Promise.all(missing.map((channel) => from.link.publish(channel, 'hello').catch(() => {})));
    await from.link.run((redis) => redis.ping()).catch(() => new Promise((resolve) => setImmediate(resolve)));
    missing = missing.filter((channel) => !to.heard.includes(`${channel} hello`));
  }
  expect(missing).toEqual([]);
}

/** The sharded channels of a node, without those of probes. */
async function shardChannels(node: RedisServer): Promise<string[]> {
  const channels = await node.command<string[]>('PUBSUB', 'SHARDCHANNELS', 'pxl:shard:*');
  return channels.sort();
}

describe('The slot of a channel', () => {
  it('is the one that Redis finds', async () => {
    const names = [...PARTITIONS.slice(0, 20), 'foo', 'a{b}c', 'a{}c', 'a{b', '}{', '{{b}}', 'né', ''];
    const slots = await Promise.all(names.map((name) => cluster.nodes[0]!.command('CLUSTER', 'KEYSLOT', name)));
    expect(names.map(keySlotOf)).toEqual(slots);
  });
});

describe('Sharded rooms', () => {
  it('reach every worker that hears them, in order, and stay on the node that serves their slot', async () => {
    await Promise.all([hearAll(one, PARTITIONS), hearAll(two, PARTITIONS)]);
    const held = await Promise.all(cluster.nodes.slice(0, 3).map((node) => shardChannels(node)));
    expect(held.flat().sort()).toEqual([...PARTITIONS].sort());
    expect(held.every((channels) => channels.length > 50)).toBe(true);
    const classic = await Promise.all(cluster.nodes.map((node) => node.command<string[]>('PUBSUB', 'CHANNELS', '*')));
    expect(classic.flat().filter((channel) => !channel.startsWith('pxl:probe:'))).toEqual([]);

    const sent = PARTITIONS.flatMap((channel) => [1, 2, 3].map((at) => [channel, String(at)] as const));
    await Promise.all(sent.map(([channel, payload]) => one.link.publish(channel, payload)));
    await until(() => [one, two].every(({ heard }) => heard.length >= sent.length));
    for (const { heard } of [one, two]) {
      expect(heard).toHaveLength(sent.length);
      for (const channel of PARTITIONS) {
        const ofChannel = heard.filter((message) => message.startsWith(`${channel} `));
        expect(ofChannel).toEqual([1, 2, 3].map((at) => `${channel} ${at}`));
      }
    }
  });

  it('are unsubscribed when nobody wants them, beside channels that are not sharded', async () => {
    await hearAll(one, ['pxl:shard:1', 'pxl:user:ada']);
    await one.link.publish('pxl:user:ada', 'hi');
    await until(() => one.heard.includes('pxl:user:ada hi'));
    expect(one.link.subscriptions.isLive('pxl:shard:1')).toBe(true);
    for (const channel of ['pxl:shard:1', 'pxl:user:ada']) one.link.subscriptions.release(channel);
    await until(() => !one.link.subscriptions.isLive('pxl:shard:1') && !one.link.subscriptions.isLive('pxl:user:ada'));
    await eventually('no node has the channel', async () => {
      return (await Promise.all(cluster.nodes.map((node) => shardChannels(node)))).flat().length === 0;
    });
  });

  it('are subscribed at a node once it says that it serves them, which is asked for as long as there is a connection', async () => {
    const [channel, other] = PARTITIONS.filter((name) => nodeAt(keySlotOf(name)) === 0) as [string, string];
    const client = new Redis(cluster.nodes[0]!.port);
    await client.ping();
    const answers = [null, null, true];
    const { subscribe } = shardedBy(() => Promise.resolve(answers.shift() ?? null), new Runtime());
    expect(await subscribe(client, [channel])).toEqual([]);
    expect(answers).toEqual([]);
    expect(await shardChannels(cluster.nodes[0]!)).toContain(channel);
    const refusals = subscribe(client, [other]);
    client.disconnect();
    expect(await refusals).toEqual([{ channel: other, why: null }]);
  });

  it(
    'move with their slots to another node',
    async () => {
      await hearAll(two, PARTITIONS);
      const channels = PARTITIONS.filter((channel) => nodeAt(keySlotOf(channel)) === 0).slice(0, 5);
      await cluster.move(channels.map(keySlotOf), 1);
      await reachesAll(one, two, PARTITIONS);
      expect(await shardChannels(cluster.nodes[1]!)).toEqual(expect.arrayContaining(channels));
      await cluster.move(channels.map(keySlotOf), 0);
    },
    PATIENCE,
  );

  it(
    'are heard again when a connection has been dead for a while without a word',
    async () => {
      await hearAll(two, PARTITIONS);
      const [node] = cluster.nodes;
      node!.freeze();
      await until('the silence is noticed', () => !two.link.isReady);
      node!.thaw();
      await until('the links are back', () => one.link.isReady && two.link.isReady, 10_000);
      await reachesAll(one, two, PARTITIONS);
    },
    PATIENCE,
  );

  it(
    'are heard again when a node is back, and the link counts as lost until then',
    async () => {
      await hearAll(two, PARTITIONS);
      const [node] = cluster.nodes;
      await node!.kill();
      await until('the loss is noticed', () => !one.link.isReady && !two.link.isReady);
      await expect(one.link.subscriptions.acquire(channelOn(0))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await node!.run();
      await until('the links are back', () => one.link.isReady && two.link.isReady, 10_000);
      await reachesAll(one, two, PARTITIONS);
      await cluster.whole();
    },
    PATIENCE,
  );

  it(
    'go on without a node that has left, and with it when it is back',
    async () => {
      await hearAll(two, PARTITIONS);
      const slots = Array.from({ length: 16_384 }, (_, slot) => slot).filter((slot) => nodeAt(slot) === 2);
      await cluster.move(slots, 0);
      await reachesAll(one, two, PARTITIONS);
      await until('the links are ready', () => one.link.isReady && two.link.isReady, 10_000);
      await cluster.nodes[2]!.kill();
      await reachesAll(one, two, PARTITIONS);
      await until('the links are ready', () => one.link.isReady && two.link.isReady, 10_000);

      await cluster.nodes[2]!.run();
      await cluster.move(slots, 2);
      await reachesAll(one, two, PARTITIONS);
      await until('the links are ready', () => one.link.isReady && two.link.isReady, 10_000);
      expect((await shardChannels(cluster.nodes[2]!)).length).toBeGreaterThan(50);
      await cluster.whole();
    },
    PATIENCE,
  );

  it(
    'and all other messages lead to no node that has lost its slots: it may be removed without a word',
    async () => {
      const redis = { cluster: cluster.startupNodes };
      const others = Array.from({ length: 5 }, (_, at) => new TestLink({ redis, name: `other-${at}` }));
      try {
        await Promise.all(others.map((other) => other.ready()));
        await Promise.all(others.map((other) => hearAll(other, ['pxl:user:ada'])));
        const slots = await cluster.slotsOf(2);
        await cluster.move(slots, 1);
        await cluster.deserted(2, 'pxl:');
        await cluster.remove(2);
        await hearAll(two, PARTITIONS);
        await reachesAll(one, two, PARTITIONS);
        await Promise.all(others.map((other) => other.link.publish('pxl:user:ada', 'hello')));
        await until('all hear all', () => others.every(({ heard }) => heard.length === others.length));
        // On a busy machine Redis may be silent for a moment, which is told.
        const isOther = (line: string): boolean => !/Redis is connected|did not answer within/.test(line);
        expect(others.flatMap(({ lines }) => lines.filter(isOther))).toEqual([]);
      } finally {
        await Promise.all(others.map(({ link }) => link.stop()));
      }
    },
    PATIENCE,
  );

  it(
    'are never heard at a master that has become a replica, where those who publish would take one for all',
    async () => {
      await cluster.replicate(SUCCESSOR, 0);
      const channels = PARTITIONS.filter((channel) => nodeAt(keySlotOf(channel)) === 0);
      await Promise.all([hearAll(one, channels), hearAll(two, channels)]);
      const [former, successor] = [cluster.nodes[0]!, cluster.nodes[SUCCESSOR]!];
      const before = await unaskedAt(former);
      await cluster.failOver(SUCCESSOR);
      await reachesAll(one, two, channels);
      await eventually('all is heard there', async () => (await shardChannels(successor)).length >= channels.length);
      expect((await unaskedAt(former)) - before).toBeLessThanOrEqual(0);
    },
    PATIENCE,
  );

  it(
    'end no process when the node dies to which a slot is moving',
    async () => {
      const unhandled: unknown[] = [];
      const note = (error: unknown): void => void unhandled.push(error);
      process.on('unhandledRejection', note);
      const key = PARTITIONS.find((name) => nodeAt(keySlotOf(name)) === 1)!;
      await cluster.halfMove([keySlotOf(key)], 1, DYING);
      await cluster.nodes[DYING]!.kill();
      await expect(one.link.run((redis) => redis.set(key, '1'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await new Promise((resolve) => setImmediate(resolve));
      process.off('unhandledRejection', note);
      expect(unhandled).toEqual([]);
    },
    PATIENCE,
  );
});

/** Which of the three nodes serves a slot at first. */
function nodeAt(slot: number): number {
  return Math.floor((slot * 3) / 16_384);
}

function channelOn(node: number): string {
  return PARTITIONS.find((channel) => nodeAt(keySlotOf(channel)) === node)!;
}

/** How many subscriptions a node has taken before which it was not asked by EXISTS, which only a master answers. */
async function unaskedAt(node: RedisServer): Promise<number> {
  const stats = await node.command<string>('INFO', 'commandstats');
  return callsOf('ssubscribe', stats) - callsOf('exists', stats);
}

/** How often a node has carried the command out. */
function callsOf(command: string, stats: string): number {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}
