import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisServer } from '../support/redis-server.js';
import { TestLink, type TestLinkOptions } from '../support/redis-link.js';
import { until } from '../support/until.js';

let server: RedisServer;
const links: TestLink[] = [];

/** A link to the server, ready. */
async function connect(options: Partial<TestLinkOptions> = {}): Promise<TestLink> {
  const link = new TestLink({ redis: server.url, ...options });
  links.push(link);
  await link.ready();
  return link;
}

beforeAll(async () => {
  server = await RedisServer.start();
});

afterEach(async () => {
  await Promise.all(links.splice(0).map(({ link }) => link.stop()));
});

afterAll(() => server.stop());

describe('A link to Redis', () => {
  it('is ready once what it publishes comes back', async () => {
    const { link, lines } = await connect();
    expect(link.isReady).toBe(true);
    expect(link.probeMs).toBeGreaterThan(0);
    expect(link.lastError).toBeNull();
    expect(lines).toEqual(['log Redis is connected.']);
  });

  it('delivers to every link that hears the channel, the own one included, and to no other', async () => {
    const [one, two, three] = [await connect(), await connect({ name: 'two' }), await connect({ name: 'three' })];
    await one.link.subscriptions.acquire('pxl:room:chess');
    await two.link.subscriptions.acquire('pxl:room:chess');
    await three.link.subscriptions.acquire('pxl:room:go');
    await one.link.publish('pxl:room:chess', 'e4');
    await one.link.publish('pxl:room:go', Buffer.from('pass'));
    await until(() => [one, two, three].every(({ heard }) => heard.length > 0));
    expect([one.heard, two.heard]).toEqual([['pxl:room:chess e4'], ['pxl:room:chess e4']]);
    expect(three.heard).toEqual(['pxl:room:go pass']);
  });

  it('delivers in the order of publishing', async () => {
    const one = await connect();
    await one.link.subscriptions.acquire('pxl:room:chess');
    const sent = Array.from({ length: 1_000 }, (_, at) => String(at));
    await Promise.all(sent.map((payload) => one.link.publish('pxl:room:chess', payload)));
    await until(() => one.heard.length === sent.length);
    expect(one.heard).toEqual(sent.map((payload) => `pxl:room:chess ${payload}`));
  });

  it('runs commands, and passes on what Redis refuses', async () => {
    const { link } = await connect();
    await link.run((redis) => redis.hset('pxl:numbers', { one: '1' }));
    await expect(link.run((redis) => redis.hgetall('pxl:numbers'))).resolves.toEqual({ one: '1' });
    await expect(link.run((redis) => redis.incr('pxl:numbers'))).rejects.toMatchObject({ name: 'ReplyError' });
    expect(link.isReady).toBe(true);
  });

  it('knows what time it is at Redis', async () => {
    const { link } = await connect();
    const timeOf = async (): Promise<number> => {
      const [seconds, microseconds] = await server.command<[string, string]>('TIME');
      return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    };
    const before = await timeOf();
    const now = link.redisNow();
    expect(now).toBeGreaterThan(before - 100);
    expect(now).toBeLessThan((await timeOf()) + 100);
  });

  it('tells its name, and what each connection is for', async () => {
    await connect({ name: 'w1', prefix: 'shop' });
    const clients = await server.command<string>('CLIENT', 'LIST');
    expect(clients).toContain('name=shop:w1:commands');
    expect(clients).toContain('name=shop:w1:subscriber');
  });

  it('leaves an instance that it was given alone', async () => {
    const mine = new Redis(server.port, '127.0.0.1', { keyPrefix: 'app:', db: 5, commandTimeout: 60_000 });
    const { link } = await connect({ redis: mine, name: 'two' });
    await link.run((redis) => redis.set('pxl:key', 'ours'));
    await link.stop();
    expect(mine.mode).toBe('normal');
    await mine.set('key', 'mine');
    const kept = await server.command<string[]>('KEYS', '*');
    expect([kept.includes('app:key'), kept.includes('app:pxl:key')]).toEqual([false, false]);
    await expect(mine.dbsize()).resolves.toBe(2);
    await mine.flushdb();
    mine.disconnect();
  });

  it('hears of no other prefix, and of the same prefix in another database', async () => {
    const shop = await connect({ prefix: 'shop' });
    const inFive = await connect({ prefix: 'shop', name: 'two', redis: `${server.url}/5` });
    await shop.link.subscriptions.acquire('shop:room:chess');
    const blog = await connect({ prefix: 'blog' });
    await blog.link.publish('blog:room:chess', 'no');
    await inFive.link.publish('shop:room:chess', 'yes');
    await until(() => shop.heard.length > 0);
    expect(shop.heard).toEqual(['shop:room:chess yes']);
  });

  it('survives a listener that throws', async () => {
    const one = await connect();
    await one.link.subscriptions.acquire('pxl:room:chess');
    one.hear = () => {
      throw new Error('a defect');
    };
    await one.link.publish('pxl:room:chess', 'e4');
    await until(() => one.lines.length === 2);
    expect(one.lines[1]).toBe('warn A message from Redis could not be handled.');
    expect(one.link.isReady).toBe(true);
  });
});

describe('A link that is stopped', () => {
  it('lets what is under way go out', async () => {
    const [one, two] = [await connect(), await connect({ name: 'two' })];
    await two.link.subscriptions.acquire('pxl:room:chess');
    const sent = Promise.all(['a', 'b', 'c'].map((payload) => one.link.publish('pxl:room:chess', payload)));
    await one.link.stop();
    await sent;
    await until(() => two.heard.length === 3);
  });

  it('takes nothing more, and closes its connections', async () => {
    const one = await connect({ name: 'leaving' });
    await one.link.stop();
    expect(one.link.isReady).toBe(false);
    await expect(one.link.publish('pxl:room:chess', 'e4')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(one.link.subscriptions.acquire('pxl:room:chess')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const clients = await server.command<string>('CLIENT', 'LIST');
    expect(clients).not.toContain('leaving');
    expect(one.lines).toEqual(['log Redis is connected.']);
  });

  it('is stopped while Redis is not there', async () => {
    const link = new TestLink({ redis: 'redis://127.0.0.1:1' });
    await until(() => link.link.lastError !== null);
    await link.link.stop();
  });

  it('is stopped right after it was started', async () => {
    await new TestLink({ redis: server.url, name: 'hasty' }).link.stop();
    expect(await server.command<string>('CLIENT', 'LIST')).not.toContain('hasty');
  });
});

describe('A link that was started before Redis', () => {
  it('says so once, and is ready soon after Redis is there', async () => {
    const late = await RedisServer.start();
    await late.kill();
    const link = new TestLink({ redis: late.url });
    links.push(link);
    await until(() => link.lines.length > 0);
    expect(link.lines[0]).toMatch(/^warn Redis cannot be reached: connect ECONNREFUSED/);
    expect(link.link.isReady).toBe(false);
    await expect(link.link.publish('pxl:room:chess', 'e4')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    });
    link.link.subscriptions.want('pxl:user:ada');

    await late.run();
    await link.ready();
    expect(link.lines.slice(1)).toEqual(['log Redis is connected.']);
    expect(link.link.lastError).toBeNull();
    expect(link.link.subscriptions.isLive('pxl:user:ada')).toBe(true);
    await link.link.stop();
    await late.stop();
  });

  it('never tells a password', async () => {
    await server.command('ACL', 'SETUSER', 'ada', 'on', '>right', '~*', '&*', '+@all');
    const wrong = new TestLink({ redis: `redis://ada:s3cret@127.0.0.1:${server.port}` });
    links.push(wrong);
    await until(() => wrong.lines.length > 0);
    expect(wrong.lines).toEqual([
      'warn Redis cannot be reached: WRONGPASS invalid username-password pair or user is disabled.',
    ]);
    const refusal: unknown = await wrong.link.publish('pxl:room:chess', 'e4').catch((error: unknown) => error);
    expect(JSON.stringify(everythingOf(refusal))).not.toContain('s3cret');
  });
});

/** What a logger that shows whole objects would print of an error. */
function everythingOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const shown = Object.getOwnPropertyNames(error).map((name): [string, unknown] => [
    name,
    everythingOf(Reflect.get(error, name)),
  ]);
  return Object.fromEntries(shown);
}
