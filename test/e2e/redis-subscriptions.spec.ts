import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { SeededRandom } from '../support/seeded-random.js';
import { timeOf } from '../../lib/testing/stall-watch.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { TestLink } from '../support/redis-link.js';
import { until } from '../support/until.js';

let server: RedisServer;
let proxy: TcpProxy;
let one: TestLink;

beforeEach(async () => {
  server = await RedisServer.start();
  proxy = await TcpProxy.before(server.port);
  one = new TestLink({ redis: `redis://127.0.0.1:${proxy.port}` });
  await one.ready();
});

afterEach(async () => {
  await one.link.stop();
  await proxy.close();
  await server.stop();
});

/** Wants the channels, all in one turn of the event loop, and waits for them. */
async function acquireAll(channels: readonly string[]): Promise<void> {
  await Promise.all(channels.map(async (channel) => one.link.subscriptions.acquire(channel)));
}

/** The channels that Redis knows of, without the probe's. */
async function subscribed(): Promise<string[]> {
  const channels = await server.command<string[]>('PUBSUB', 'CHANNELS', '*');
  return channels.filter((channel) => !channel.startsWith('pxl:probe:')).sort();
}

/** How often Redis was asked for a command. */
async function calls(command: string): Promise<number> {
  const stats = await server.command<string>('INFO', 'commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

describe('A channel that is wanted', () => {
  it('is subscribed once for all who want it, and unsubscribed a while after the last', async () => {
    const { subscriptions } = one.link;
    await acquireAll(['pxl:room:chess', 'pxl:room:chess']);
    expect(subscriptions.acquire('pxl:room:chess')).toBeUndefined();
    expect(await subscribed()).toEqual(['pxl:room:chess']);
    for (let times = 0; times < 3; times++) {
      expect(subscriptions.isLive('pxl:room:chess')).toBe(true);
      subscriptions.release('pxl:room:chess');
    }
    expect(await subscribed()).toEqual(['pxl:room:chess']);
    await until(() => !subscriptions.isLive('pxl:room:chess'));
    await eventually('it is unsubscribed', async () => (await subscribed()).length === 0);
  });

  it('stays subscribed when it is wanted again in time', async () => {
    const { subscriptions } = one.link;
    await subscriptions.acquire('pxl:room:chess');
    for (let times = 0; times < 100; times++) {
      subscriptions.release('pxl:room:chess');
      expect(subscriptions.acquire('pxl:room:chess')).toBeUndefined();
    }
    subscriptions.want('pxl:room:go');
    await until(() => subscriptions.isLive('pxl:room:go'));
    expect([await calls('subscribe'), await calls('unsubscribe')]).toEqual([3, 0]);
  });

  it('is subscribed together with the others of its moment', async () => {
    const { subscriptions } = one.link;
    const channels = Array.from({ length: 2_500 }, (_, at) => `pxl:room:${at}`);
    // A busy machine may need longer for so many than `acquire` waits.
    for (const channel of channels) subscriptions.want(channel);
    await until('all are live', () => channels.every((channel) => subscriptions.isLive(channel)));
    expect(await subscribed()).toEqual(channels.sort());
    // The probe's channel, and three batches of a thousand at most.
    expect(await calls('subscribe')).toBe(1 + 3);
  });

  it.each(['*', 'a?[b]', '{x}', 'a\r\nPING', '__proto__', 'pxl:room:chess', 'né'])(
    'is a name and nothing else: %j',
    async (name) => {
      await one.link.subscriptions.acquire(`pxl:room:${name}`);
      await one.link.publish('pxl:room:another', 'no');
      await one.link.publish(`pxl:room:${name}`, 'yes');
      await until(() => one.heard.length > 0);
      expect(one.heard).toEqual([`pxl:room:${name} yes`]);
    },
  );

  it('is heard once where a pattern holds it too', async () => {
    const { subscriptions } = one.link;
    await subscriptions.acquirePattern('pxl:event:*');
    await subscriptions.acquirePattern('other:*');
    await subscriptions.acquire('pxl:event:done');
    for (const payload of ['one', 'two', 'two']) await one.link.publish('pxl:event:done', payload);
    await one.link.publish('other:done', 'three');
    subscriptions.release('pxl:event:done');
    await until(() => !subscriptions.isLive('pxl:event:done'));
    await one.link.publish('pxl:event:done', 'four');
    await until(() => one.heard.length === 5);
    expect(one.heard.map((message) => message.split(' ')[1])).toEqual(['one', 'two', 'two', 'three', 'four']);
  });
});

describe('Subscriptions', () => {
  it('are those that are wanted, however wildly channels come and go and connections break', async () => {
    const { subscriptions } = one.link;
    const random = new SeededRandom(1);
    const held: string[] = [];
    for (let round = 0; round < 2_000; round++) {
      const channel = `pxl:room:${random.below(50)}`;
      if (random.chance(0.5)) {
        held.push(channel);
        if (random.chance(0.5)) subscriptions.want(channel);
        else {
          await subscriptions.acquire(channel)?.catch(() => subscriptions.want(channel));
        }
      } else if (held.length > 0) {
        subscriptions.release(held.splice(random.below(held.length), 1)[0]!);
      }
      if (round % 500 === 499) proxy.reset();
    }
    await one.ready();
    const wanted = [...new Set(held)].sort();
    await until(
      () => subscriptions.counts.live === wanted.length + 1 && subscriptions.counts.wanted === wanted.length + 1,
    );
    const counts = await server.command<(string | number)[]>('PUBSUB', 'NUMSUB', ...wanted);
    expect(await subscribed()).toEqual(wanted);
    expect(counts.filter((_, at) => at % 2 === 1).map(Number)).toEqual(wanted.map(() => 1));
  });

  it('are all there again before the link counts as ready', async () => {
    const { subscriptions } = one.link;
    const channels = Array.from({ length: 5_000 }, (_, at) => `pxl:room:${at}`);
    // A busy machine may need longer for so many than `acquire` waits.
    for (const channel of channels) subscriptions.want(channel);
    await until('all are live', () => subscriptions.counts.live >= channels.length);
    proxy.reset();
    await until(() => !one.link.isReady);
    await one.ready();
    expect((await subscribed()).length).toBe(channels.length);
    expect(channels.every((channel) => subscriptions.isLive(channel))).toBe(true);
  });
});

describe('A channel that cannot be subscribed', () => {
  it('is refused at once while Redis is down, and is not wanted then', async () => {
    await server.kill();
    await until(() => !one.link.isReady);
    const { subscriptions } = one.link;
    await expect(subscriptions.acquire('pxl:room:chess')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    subscriptions.want('pxl:user:ada');
    await server.run();
    await one.ready();
    expect(await subscribed()).toEqual(['pxl:user:ada']);
  });

  it('is given up after a second without an answer', async () => {
    proxy.replies = 'drop';
    const refused = (): Promise<void> =>
      expect(one.link.subscriptions.acquire('pxl:room:chess')).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:TIMEOUT|UNAVAILABLE)$/) as unknown,
      });
    expect(await timeOf(refused)).toBeLessThan(2_400);
    proxy.heal();
    await until(() => !one.link.isReady);
    await one.ready();
    expect(one.link.subscriptions.counts.wanted).toBe(1);
  });

  it('stops no other when Redis does not allow it, and is tried again until it does', async () => {
    const { subscriptions } = one.link;
    const allowed = ['&pxl:probe:*', '&pxl:room:open-*'];
    await server.command('ACL', 'SETUSER', 'default', 'resetchannels', ...allowed);
    subscriptions.want('pxl:user:ada');
    const rooms = Array.from({ length: 100 }, (_, at) => `pxl:room:open-${at}`);
    const joined = acquireAll(rooms);
    await expect(subscriptions.acquire('pxl:room:closed')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { message: expect.stringContaining('NOPERM') as unknown },
    });
    await joined;
    expect(one.link.isReady).toBe(true);
    expect(one.link.lastError).toContain('NOPERM');
    await expect(subscriptions.acquire('pxl:user:ada')).rejects.toMatchObject({ code: 'UNAVAILABLE' });

    await server.command('ACL', 'SETUSER', 'default', 'allchannels');
    await until(() => subscriptions.isLive('pxl:user:ada'));
    expect(one.lines.filter((line) => line.includes('NOPERM')).length).toBeLessThanOrEqual(4);
  });

  it('holds the link back when it is the one that shows that messages come', async () => {
    await server.command('ACL', 'SETUSER', 'default', 'resetchannels', '&pxl:room:*');
    await until(() => !one.link.isReady);
    await until(() => one.link.lastError?.includes('NOPERM') ?? false);
    await expect(one.link.run((redis) => redis.ping())).resolves.toBe('PONG');
    expect(one.link.isReady).toBe(false);
    await server.command('ACL', 'SETUSER', 'default', 'allchannels');
    await until('the link is ready', () => one.link.isReady, 20_000);
  });
});
