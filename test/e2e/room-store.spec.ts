import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from '../../lib/testing/eventually.js';
import type { Secrets } from '../../lib/redis/messages/message-seal.js';
import { APPEND } from '../../lib/redis/data/room-scripts.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Logbook } from '../support/logbook.js';
import { startApp } from '../support/test-app.js';
import { RedisServer } from '../support/redis-server.js';
import { timeOf } from '../../lib/testing/stall-watch.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { RETENTION, TestRoomStore } from '../support/test-room-store.js';
import { until } from '../support/until.js';

const UNAVAILABLE = { code: 'UNAVAILABLE', retryable: true };
/** What is promised (ms); asserted at twice its value. */
const SETTLED = 1_200;

let redis: RedisServer;
let proxy: TcpProxy;
let admin: Redis;
/** Its network is the proxy's. */
let one: TestRoomStore;
let two: TestRoomStore;
let rooms = 0;

beforeAll(async () => {
  // Nothing has to survive it, and the disk may be slow.
  redis = await RedisServer.start('--appendonly', 'no');
  proxy = await TcpProxy.before(redis.port);
  admin = new Redis(redis.port, '127.0.0.1');
  one = await TestRoomStore.ready({ redis: `redis://127.0.0.1:${proxy.port}` });
  two = await TestRoomStore.ready({ redis: redis.url, name: 'two', origin: 'worker02' });
});

afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  admin.disconnect();
  await proxy.close();
  await redis.stop();
});

/** A room that no other test has used. */
function newRoom(): string {
  return `a {room} %\n é🎲 ${++rooms}`;
}

function fieldOf(room: string, field: string): Promise<string | null> {
  return admin.hget(one.key(room), field);
}

/** Until Redis can be used again, after a fault. */
async function healed(): Promise<void> {
  const works = (): Promise<boolean> =>
    one.top('any').then(
      () => one.testLink.link.isReady,
      () => false,
    );
  await eventually('Redis can be used', works, 15_000);
}

/** Its clock may be set. */
class SteppedRuntime extends Runtime {
  step = 0;

  override monotonic(): number {
    return super.monotonic() + this.step;
  }
}

describe('The start of an application whose rooms have history', () => {
  const history = { size: 10, ttl: 60_000 };
  /** Its user may do everything but that. */
  async function start(refused: string, failover?: 'ignore'): Promise<string[]> {
    const logger = new Logbook();
    await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', '~*', '&*', '+@all', ...refused.split(' '));
    const options = {
      redis: `redis://limited:secret@127.0.0.1:${redis.port}`,
      rooms: { history: { ...history, failover } },
    };
    const app = await startApp({ options, logger });
    await app.close();
    return logger.of('warn');
  }

  it('fails where scripts may not call INFO', async () => {
    await expect(start('-info')).rejects.toThrow(
      "Redis does not let scripts call INFO, by which rooms.history notices a failover: allow it to the user (ACL: +info), or set rooms.history.failover to 'ignore'.",
    );
    await expect(start('-info', 'ignore')).resolves.toEqual([]);
  });

  it.each([
    ['-eval -evalsha', /^Redis refuses what rooms.history needs: NOPERM .*evalsha/],
    ['-hmget', /^Redis refuses what rooms.history needs: .*can't run this command/],
    [
      '-publish resetchannels &pxl:probe:* &pxl:broadcast &pxl:worker:* &pxl:peers:* +publish',
      /needs: .*can't publish/,
    ],
  ])('fails where Redis refuses what they need: %s', async (refused, sentence) => {
    await expect(start(refused)).rejects.toThrow(sentence);
  });

  it('warns of a Redis that may evict them', async () => {
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const lines = await start('');
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    expect(lines).toEqual([
      'The maxmemory-policy of Redis is allkeys-lru: it may evict the history of rooms, whose clients are told then. Set it to noeviction.',
    ]);
  });
});

describe('A room in Redis', () => {
  it('takes all messages of a turn in one call, and what comes meanwhile in the next', async () => {
    const room = newRoom();
    await admin.config('RESETSTAT');
    const turn = Array.from({ length: 300 }, (_, at) => one.append(room, String(at)));
    const offsets = (await Promise.all(turn)).map(({ offset }) => offset);
    expect(offsets).toEqual(Array.from({ length: 300 }, (_, at) => at + 1));
    expect(await admin.info('commandstats')).toMatch(/cmdstat_evalsha:calls=2,/);
    await expect(one.kept(room, { ...RETENTION, size: 300 })).resolves.toEqual(
      Array.from({ length: 300 }, (_, at) => at)
        .slice(-100)
        .map(String),
    );
  });

  it('keeps no more than its size, though one call may bring more', async () => {
    const room = newRoom();
    const retention = { ...RETENTION, size: 3 };
    await one.append(room, 'first', { retention });
    await Promise.all(Array.from({ length: 10 }, (_, at) => one.append(room, String(at), { retention })));
    await expect(one.read(room, {}, retention)).resolves.toMatchObject({
      oldest: 9,
      entries: [{ offset: 9 }, { offset: 10 }, { offset: 11 }],
    });
    await expect(admin.hlen(one.key(room))).resolves.toBe(3 + 'eobrt'.length);
    // The application has made it smaller.
    await expect(one.read(room, {}, { ...RETENTION, size: 1 })).resolves.toMatchObject({ oldest: 11 });
  });

  it('is kept for an hour only while nothing was ever sent to it, since anybody may ask for a room', async () => {
    const room = newRoom();
    const hour = 3_600_000;
    const retention = { ...RETENTION, metaTtl: 24 * hour };
    const life = (): Promise<number> => admin.pttl(one.key(room));
    await one.read(room, {}, retention);
    expect(await life()).toBeLessThanOrEqual(hour);
    await one.append(room, 'first', { retention });
    expect(await life()).toBeGreaterThan(23 * hour);
    await one.read(room, {}, retention);
    expect(await life()).toBeGreaterThan(23 * hour);
  });

  it('does not block Redis to forget very many messages', async () => {
    const room = newRoom();
    const retention = { size: 10_000, ttl: 60_000, metaTtl: 3_600_000 };
    await Promise.all(Array.from({ length: 2_000 }, () => one.append(room, 'x', { retention })));
    await admin.hset(one.key(room), 't', 1);
    await one.append(room, 'y', { retention });
    // Some are still there, and do not count.
    await expect(admin.hlen(one.key(room))).resolves.toBeGreaterThan(1_500);
    for (let at = 0; at < 8; at++) await one.append(room, 'y', { retention });
    await expect(admin.hlen(one.key(room))).resolves.toBe(9 + 'eobrt'.length);
    await expect(fieldOf(room, 'b')).resolves.toBe('2001');
    await expect(one.read(room, {}, retention)).resolves.toMatchObject({ oldest: 2_001 });
  });

  it('loses what has expired at every look, some at a time', async () => {
    const room = newRoom();
    const retention = { size: 10_000, ttl: 60_000, metaTtl: 3_600_000 };
    const sent = Array.from({ length: 1_500 }, () => one.append(room, 'x', { retention }));
    const { epoch } = (await Promise.all(sent))[0]!;
    await admin.hset(one.key(room), 't', 1);
    const page = { top: { epoch, offset: 1_500 }, oldest: 1_501, entries: [] };
    await expect(one.read(room, {}, retention)).resolves.toEqual(page);
    await expect(admin.hlen(one.key(room))).resolves.toBe(500 + 'eobrt'.length);
    await expect(one.read(room, {}, retention)).resolves.toEqual(page);
    await expect(admin.hlen(one.key(room))).resolves.toBe('eobrt'.length);
    await expect(one.read(room, {}, retention)).resolves.toEqual(page);
    await one.append(room, 'y', { retention });
    await expect(one.read(room, {}, retention)).resolves.toMatchObject({ oldest: 1_501, entries: [{ text: 'y' }] });
  });

  it('gives pages of at most 1 MiB, and at least one message', async () => {
    const room = newRoom();
    const text = 'x'.repeat(300_000);
    for (let at = 0; at < 5; at++) await one.append(room, text);
    await one.append(room, 'x'.repeat(2_000_000));
    const sizes = async (range: object): Promise<number[]> =>
      (await one.read(room, range)).entries.map(({ offset }) => offset);
    await expect(sizes({})).resolves.toEqual([1, 2, 3]);
    await expect(sizes({ since: 3 })).resolves.toEqual([4, 5]);
    await expect(sizes({ since: 5 })).resolves.toEqual([6]);
    await expect(sizes({ reverse: true })).resolves.toEqual([6]);
  });

  it('counts beyond the numbers that a float writes in full', async () => {
    const room = newRoom();
    await one.append(room, 'a');
    await admin.hset(one.key(room), 'o', '9007199254740000', 'b', '9007199254740001');
    await expect(one.append(room, 'b')).resolves.toMatchObject({ offset: 9_007_199_254_740_001 });
    await expect(one.read(room)).resolves.toMatchObject({ entries: [{ offset: 9_007_199_254_740_001, text: 'b' }] });
  });

  it('keeps its numbers for the time that is set, renewed by every look', async () => {
    const room = newRoom();
    await one.top(room);
    await admin.pexpire(one.key(room), 60_000);
    await one.top(room);
    expect(await admin.pttl(one.key(room))).toBeGreaterThan(3_000_000);
  });

  it('takes nothing from the same names of another kind', async () => {
    const room = newRoom();
    await admin.set(one.key(room), 'a text');
    await expect(one.append(room, 'a')).rejects.toMatchObject(UNAVAILABLE);
    await expect(one.top(room)).rejects.toMatchObject({ ...UNAVAILABLE, cause: { message: /^WRONGTYPE/ } });
    expect(one.testLink.link.lastError).toMatch(/^Redis refuses to keep the history of rooms: WRONGTYPE/);
    await admin.del(one.key(room));
    await one.append(room, 'b');
    expect(one.testLink.link.lastError).toBeNull();
  });
});

describe('The epoch of a room', () => {
  it.each(['e', 'o', 'b', 't', 'r'])('is a new one when Redis has lost the field %s', async (field) => {
    const room = newRoom();
    const { epoch } = await one.append(room, 'a');
    await admin.hdel(one.key(room), field);
    const top = await two.top(room);
    expect(top.offset).toBe(0);
    expect(top.epoch).not.toBe(epoch);
    await expect(one.read(room)).resolves.toEqual({ top, oldest: 1, entries: [] });
    await expect(one.append(room, 'b')).resolves.toEqual({ ...top, offset: 1, isRepeated: false });
  });

  it('is a new one when Redis has evicted the room, whoever asks first', async () => {
    const room = newRoom();
    const epochs = new Set<string>();
    for (const ask of [() => one.append(room, 'a'), () => one.top(room), async () => (await one.read(room)).top]) {
      epochs.add((await ask()).epoch);
      await admin.del(one.key(room));
    }
    expect(epochs.size).toBe(3);
  });
});

describe('A message that is refused', () => {
  /** It is refused in time, is not there later, and takes no number. */
  async function expectNoTrace(room: string, reason: RegExp | null, mend: () => Promise<unknown>): Promise<void> {
    const failure = reason ? { ...UNAVAILABLE, cause: { message: expect.stringMatching(reason) } } : UNAVAILABLE;
    const refused = (): Promise<void> => expect(one.append(room, 'refused')).rejects.toMatchObject(failure);
    expect(await timeOf(refused)).toBeLessThan(2 * SETTLED);
    await mend();
    await healed();
    const { top } = await two.read(room);
    await expect(one.append(room, 'after')).resolves.toMatchObject({ epoch: top.epoch, offset: 2 });
    await expect(two.kept(room)).resolves.toEqual(['before', 'after']);
  }

  it('by a Redis without memory', async () => {
    const room = newRoom();
    await one.append(room, 'before');
    await admin.config('SET', 'maxmemory', '1');
    await expectNoTrace(room, /^OOM /, () => admin.config('SET', 'maxmemory', '0'));
  });

  it('by a Redis without the replicas that it needs', async () => {
    const room = newRoom();
    await one.append(room, 'before');
    await admin.config('SET', 'min-replicas-to-write', '1');
    await expectNoTrace(room, /NOREPLICAS /, () => admin.config('SET', 'min-replicas-to-write', '0'));
  });

  it('by a Redis that is busy with a script', async () => {
    const room = newRoom();
    await one.append(room, 'before');
    await admin.config('SET', 'lua-time-limit', '10');
    const endless = admin.duplicate();
    const ended = endless.eval('while true do end', 0).catch(() => undefined);
    await eventually('Redis is busy', async () => (await admin.ping().catch(String)).includes('BUSY '));
    await expectNoTrace(room, null, async () => {
      await admin.script('KILL');
      await ended;
      endless.disconnect();
    });
  });

  it('by an ACL', async () => {
    const room = newRoom();
    await one.append(room, 'before');
    await admin.call('ACL', 'SETUSER', 'default', '-hset');
    await expectNoTrace(room, /can't run this command/, () => admin.call('ACL', 'SETUSER', 'default', '+hset'));
  });

  it('by a Redis that stands still', async () => {
    const room = newRoom();
    await one.append(room, 'before');
    redis.freeze();
    const thaw = (): Promise<void> => {
      redis.thaw();
      return Promise.resolve();
    };
    await expectNoTrace(room, null, thaw);
  });

  it('(control run: without a deadline Redis carries out what was refused)', async () => {
    const { link } = two.testLink;
    const isCarriedOut = async (): Promise<boolean> => {
      const room = newRoom();
      await eventually('the other can be used', () => two.append(room, 'before').then(Boolean, () => false));
      redis.freeze();
      const inAnHour = link.redisAtLeast() + 3_600_000;
      link.redisAtLeast = () => inAnHour;
      await expect(two.append(room, 'refused')).rejects.toMatchObject(UNAVAILABLE);
      Reflect.deleteProperty(link, 'redisAtLeast');
      redis.thaw();
      await healed();
      return (await one.kept(room)).includes('refused');
    };
    // Not each time: what a connection has brought is dropped unread where Redis was about to write to it.
    await eventually('it is carried out', isCarriedOut);
  });
});

describe('The deadline of an append', () => {
  it('is over in its own millisecond', async () => {
    const room = newRoom();
    for (let time = 0; time < 50; time++) {
      const [seconds, microseconds] = await admin.time();
      const deadline = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
      const args = [1, 'a', 100, 60_000, 3_600_000, deadline, 'PUBLISH', 'nowhere', 0, 0, '', 'text'];
      await expect(APPEND.run(admin, [one.key(room)], args)).rejects.toThrow('LATE ');
    }
  });
});

describe('A network that is slow in one direction', () => {
  it("makes Redis' clock seem ahead, and what is rejected is refused all the same", async () => {
    const slow = await TcpProxy.before(redis.port);
    slow.requests = 200;
    const store = await TestRoomStore.ready({ redis: `redis://127.0.0.1:${slow.port}`, name: 'slow' });
    const { link } = store.testLink;
    // An answer that this process has read late tells less than the next ones.
    await until('its clock seems ahead', () => link.redisNow() - Date.now() > 50);
    expect(link.redisAtLeast() - Date.now()).toBeLessThan(5);
    const room = newRoom();
    await store.append(room, 'before');
    redis.freeze();
    await expect(store.append(room, 'refused')).rejects.toMatchObject(UNAVAILABLE);
    redis.thaw();
    await eventually('Redis can be used', () => store.top(room).then(Boolean, () => false));
    await expect(two.kept(room)).resolves.toEqual(['before']);
    await store.stop();
    await slow.close();
    await healed();
  });
});

describe("A clock of Redis' machine that was set", () => {
  it('makes it refuse what is sent until that is noticed, which is at once', async () => {
    const runtime = new SteppedRuntime();
    const store = await TestRoomStore.ready({ redis: redis.url, name: 'stepped', probe: 3_000, runtime });
    const room = newRoom();
    await store.append(room, 'a');
    // As seen from here, Redis is five seconds ahead of itself.
    runtime.step = -5_000;
    await expect(store.append(room, 'b')).rejects.toMatchObject({ ...UNAVAILABLE, cause: { message: /^LATE / } });
    await until('the clock is known', () => Math.abs(store.testLink.link.redisNow() - Date.now()) < 1_000);
    await expect(store.append(room, 'c')).resolves.toMatchObject({ offset: 2 });
    await store.stop();
  });
});

describe('The order of a sender', () => {
  /** Sends as many as that over many turns, while Redis forgets the script again and again. */
  async function texts(room: string, append: (text: string) => Promise<unknown>): Promise<string[]> {
    const sent: Promise<unknown>[] = [];
    for (let turn = 0; turn < 60; turn++) {
      if (turn % 3 === 0) sent.push(admin.script('FLUSH'));
      for (let at = 0; at < 3; at++) sent.push(append(String(sent.length).padStart(4, '0')));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(sent);
    return one.kept(room, { ...RETENTION, size: 1_000 });
  }

  it('holds while Redis forgets the script', async () => {
    const room = newRoom();
    const retention = { ...RETENTION, size: 1_000 };
    await admin.config('RESETSTAT');
    const kept = await texts(room, (text) => one.append(room, text, { retention }));
    // The script was repeated.
    expect(await admin.info('commandstats')).toMatch(/cmdstat_eval:calls=[1-9]/);
    expect(kept).toHaveLength(180);
    expect(kept).toEqual([...kept].sort());
  });

  it('is broken when each message is a call of its own', async () => {
    const { link } = one.testLink;
    const isBroken = async (): Promise<boolean> => {
      const room = newRoom();
      const kept = await texts(room, (text) => {
        const args = [
          1,
          'a',
          1_000,
          60_000,
          3_600_000,
          9e15,
          'PUBLISH',
          'nowhere',
          0,
          0,
          '',
          `"is":"message"}\n${text}`,
        ];
        return link.run((client) => APPEND.run(client, [one.key(room)], args));
      });
      expect(kept).toHaveLength(180);
      return kept.some((text, at) => text < (kept[at - 1] ?? ''));
    };
    // On a busy machine the script may be there again before the next message.
    await eventually('it is broken', isBroken);
  });
});

describe('An idempotency key', () => {
  it('adds a message once whose answer was lost', async () => {
    const room = newRoom();
    await two.hear(room);
    const keyed = { idempotencyKey: 'a key {with} \r\n anything é🎲' };
    // On a busy machine it may be given up before Redis has it.
    await eventually('it is added', async () => {
      await healed();
      proxy.replies = 'hold';
      await expect(one.append(room, 'a', keyed)).rejects.toMatchObject(UNAVAILABLE);
      proxy.heal();
      return (await two.kept(room)).length > 0;
    });
    await healed();
    await expect(one.append(room, 'a', keyed)).resolves.toMatchObject({ offset: 1, isRepeated: true });
    await expect(one.append(room, 'b')).resolves.toMatchObject({ offset: 2 });
    await expect(two.kept(room)).resolves.toEqual(['a', 'b']);
    await until('both have come', () => two.heard.includes('2 b'));
    expect(two.heard.filter((text) => text.endsWith(' a'))).toEqual(['1 a']);
  });

  it('is forgotten after five minutes, or when a thousand others came', async () => {
    const room = newRoom();
    const send = async (idempotencyKey: string): Promise<boolean> =>
      (await one.append(room, 'x', { idempotencyKey })).isRepeated;
    await expect(send('old')).resolves.toBe(false);
    await admin.hset(one.key(room), 'k:old', '1:1:1');
    await expect(send('old')).resolves.toBe(false);
    await expect(send('old')).resolves.toBe(true);
    await Promise.all(Array.from({ length: 999 }, (_, at) => send(String(at))));
    await expect(send('old')).resolves.toBe(true);
    await Promise.all([send('one'), send('two')]);
    await expect(send('old')).resolves.toBe(false);
    await expect(send('3')).resolves.toBe(true);
    // Each has two fields; with the counters, and what a room has anyway.
    const fields = await admin.hkeys(one.key(room));
    expect(fields.filter((field) => field.startsWith('k:'))).toHaveLength(1_000);
    expect(fields.filter((field) => field.startsWith('i:'))).toHaveLength(1_000);
  });

  it('leaves nothing behind that has expired', async () => {
    const room = newRoom();
    await Promise.all(Array.from({ length: 20 }, (_, at) => one.append(room, 'x', { idempotencyKey: String(at) })));
    for (let at = 0; at < 20; at++) await admin.hset(one.key(room), `k:${at}`, `${at + 1}:1:${at + 1}`);
    for (let at = 0; at < 8; at++) await one.append(room, 'x', { idempotencyKey: 'again' + String(at) });
    const fields = await admin.hkeys(one.key(room));
    expect(fields.filter((field) => /^[ik]:/.test(field))).toHaveLength(16);
  });
});

describe('A message that Redis keeps and cannot publish', () => {
  it('is sent all the same: its number shows the members that they lack it', async () => {
    const room = newRoom();
    await two.hear(room);
    const allow = (channels: string): Promise<unknown> =>
      admin.call('ACL', 'SETUSER', 'silent', 'on', '>secret', '~*', 'resetchannels', channels, '+@all');
    await allow('&pxl:probe:*');
    const silent = await TestRoomStore.ready({
      redis: `redis://silent:secret@127.0.0.1:${redis.port}`,
      name: 'silent',
    });
    const { link, lines } = silent.testLink;
    await expect(silent.append(room, 'untold')).resolves.toMatchObject({ offset: 1 });
    expect(link.lastError).toMatch(/^Redis refuses to publish what it keeps of rooms: .*can't publish to the channel/);
    expect(lines.at(-1)).toContain('to publish what it keeps of rooms');
    expect([...silent.store.metrics()]).toMatchObject([{ name: 'pxl_ws_history_unpublished_total', value: 1 }]);
    await allow('&*');
    await expect(silent.append(room, 'told')).resolves.toMatchObject({ offset: 2 });
    await until('it has come', () => two.heard.includes('2 told'));
    expect(two.heard).not.toContain('1 untold');
    expect(link.lastError).toBeNull();
    await expect(two.kept(room)).resolves.toEqual(['untold', 'told']);
    await silent.stop();
  });
});

describe('A room whose messages are signed', () => {
  const [OLD, NEW] = ['an old secret of 32 characters..', 'a new secret of 32 characters...'];
  const stores: TestRoomStore[] = [];

  /** A store with these secrets; none: without. */
  async function storeWith(name: string, ...secrets: Secrets | []): Promise<TestRoomStore> {
    const [first, ...others] = secrets;
    const given: Secrets | undefined = first === undefined ? undefined : [first, ...others];
    const store = await TestRoomStore.ready({ redis: redis.url, name, prefix: 'signed', secrets: given });
    stores.push(store);
    return store;
  }

  afterAll(() => Promise.all(stores.map((store) => store.stop())));

  it('is read and heard with the same secret or the former one, and lost without', async () => {
    const [old, both, next, none] = await Promise.all([
      storeWith('old', OLD),
      storeWith('both', NEW, OLD),
      storeWith('next', NEW),
      storeWith('none'),
    ]);
    for (const store of [old, both, next]) await store.hear('tea');
    const sent = { exclude: ['x'], copy: 'copy1', idempotencyKey: 'k' };
    await old.append('tea', 'a', sent);
    await expect(old.append('tea', 'a', sent)).resolves.toMatchObject({ offset: 1, isRepeated: true });
    await both.append('tea', 'b');
    await until('both are heard', () => both.heard.length === 2 && next.heard.length === 1);
    expect([both.heard, next.heard, old.heard]).toEqual([['1 a', '2 b'], ['2 b'], ['1 a']]);
    await expect(both.read('tea')).resolves.toMatchObject({
      oldest: 1,
      entries: [
        { offset: 1, text: 'a', exclude: ['x'], copy: 'copy1' },
        { offset: 2, text: 'b' },
      ],
    });
    // What cannot be read is not kept, as far as members are concerned, and what is older neither.
    await expect(next.read('tea')).resolves.toMatchObject({ oldest: 2, entries: [{ offset: 2 }] });
    await expect(next.read('tea', { reverse: true, limit: 1 })).resolves.toMatchObject({ oldest: 1, entries: [{}] });
    await expect(old.read('tea')).resolves.toMatchObject({ oldest: 3, entries: [] });
    await expect(none.read('tea')).resolves.toMatchObject({ oldest: 3, entries: [] });
  });

  it('has nothing in it that a stranger wrote, or that was written for another', async () => {
    const store = await storeWith('one', OLD);
    await store.append('here', 'a');
    await store.append('there', 'b');
    await store.append('there', 'c');
    const [here, there] = [store.key('here'), store.key('there')];
    await admin.hset(there, '1', (await admin.hget(here, '1'))!);
    await expect(store.read('there')).resolves.toMatchObject({ oldest: 2, entries: [{ text: 'c' }] });
    await admin.hset(there, '2', '"is":"message"}\n{"type":"forged"}');
    await expect(store.read('there')).resolves.toMatchObject({ oldest: 3, entries: [] });
  });

  it('loses its messages and no number where an entry is missing', async () => {
    const room = newRoom();
    for (const text of ['a', 'b', 'c']) await one.append(room, text);
    await admin.hdel(one.key(room), '2');
    await expect(one.read(room)).resolves.toMatchObject({ top: { offset: 3 }, oldest: 3, entries: [{ text: 'c' }] });
  });
});
