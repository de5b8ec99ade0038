import { beforeEach, describe, expect, it } from '@jest/globals';
import type { WsAppended, WsHistoryRange } from 'nestjs-pxl-websocket';
import { ExpiredRooms } from '../../lib/cluster/bus/expired-rooms.js';
import { LocalRoomStore } from '../../lib/cluster/bus/local.room-store.js';
import { ManualRuntime } from '../support/manual-runtime.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RETENTION = { size: 3, ttl: MINUTE, metaTtl: HOUR };

let runtime: ManualRuntime;
let store: LocalRoomStore;

beforeEach(() => {
  runtime = new ManualRuntime();
  store = new LocalRoomStore(runtime);
});

function append(text: string, idempotencyKey?: string, roomName = 'tea'): Promise<WsAppended> {
  return store.append({ roomName, text, exclude: [], retention: RETENTION, idempotencyKey });
}

async function offsets(range: Partial<WsHistoryRange> = {}): Promise<number[]> {
  const { entries } = await store.read('tea', { limit: 100, ...range }, RETENTION);
  return entries.map(({ offset }) => offset);
}

describe('The rooms of an application of one process', () => {
  it('keep the newest messages, and give any part of them', async () => {
    for (const text of ['1', '2', '3', '4', '5']) await append(text);
    const { epoch } = await store.top('tea', RETENTION);
    await expect(store.read('tea', { limit: 1 }, RETENTION)).resolves.toEqual({
      top: { epoch, offset: 5 },
      oldest: 3,
      entries: [{ offset: 3, text: '3', exclude: [] }],
    });
    await expect(offsets()).resolves.toEqual([3, 4, 5]);
    await expect(offsets({ since: 4 })).resolves.toEqual([5]);
    await expect(offsets({ since: 1, until: 4 })).resolves.toEqual([3, 4]);
    await expect(offsets({ reverse: true, limit: 2 })).resolves.toEqual([5, 4]);
    await expect(offsets({ reverse: true, until: 4, limit: 1 })).resolves.toEqual([4]);
    await expect(offsets({ since: 5 })).resolves.toEqual([]);
    await expect(offsets({ until: 1 })).resolves.toEqual([]);
    await expect(offsets({ limit: 0 })).resolves.toEqual([]);
  });

  it('forget their messages after the last one, and their numbers much later', async () => {
    const { epoch } = await append('1');
    await runtime.advance(MINUTE);
    await expect(offsets()).resolves.toEqual([1]);
    await runtime.advance(1);
    await expect(store.read('tea', { limit: 9 }, RETENTION)).resolves.toEqual({
      top: { epoch, offset: 1 },
      oldest: 2,
      entries: [],
    });
    await expect(append('2')).resolves.toMatchObject({ epoch, offset: 2 });
    await expect(offsets()).resolves.toEqual([2]);
    // Every look renews it.
    await runtime.advance(HOUR);
    await store.top('tea', RETENTION);
    await runtime.advance(HOUR);
    await expect(store.top('tea', RETENTION)).resolves.toEqual({ epoch, offset: 2 });
    await runtime.advance(HOUR + 1);
    const { epoch: next, offset } = await store.top('tea', RETENTION);
    expect(next).not.toBe(epoch);
    expect(offset).toBe(0);
  });

  it('give pages of about 1 MiB, and at least one message', async () => {
    await append('x'.repeat(900_000));
    await append('x'.repeat(200_000));
    await append('x'.repeat(2_000_000));
    await expect(offsets()).resolves.toEqual([1]);
    await expect(offsets({ since: 1 })).resolves.toEqual([2]);
    await expect(offsets({ reverse: true })).resolves.toEqual([3]);
  });

  it('know an idempotency key for five minutes', async () => {
    await append('1', 'a');
    await append('2');
    await expect(append('1', 'a')).resolves.toMatchObject({ offset: 1, isRepeated: true });
    await runtime.advance(5 * MINUTE);
    await expect(append('1', 'a')).resolves.toMatchObject({ isRepeated: true });
    await runtime.advance(1);
    await expect(append('1', 'a')).resolves.toMatchObject({ offset: 3, isRepeated: false });
  });

  it('know a thousand idempotency keys each', async () => {
    for (let at = 0; at <= 1_000; at++) await append('x', String(at));
    await expect(append('x', '1')).resolves.toMatchObject({ isRepeated: true });
    await expect(append('x', '0')).resolves.toMatchObject({ isRepeated: false });
  });

  it('are at most 100 000; the one that nobody has used for longest goes first', async () => {
    const { epoch } = await append('1');
    const other = await append('1', undefined, 'other');
    for (let at = 0; at < 99_997; at++) await store.top(String(at), RETENTION);
    await store.top('tea', RETENTION);
    await store.top('one more', RETENTION);
    await store.top('and one', RETENTION);
    await expect(store.top('tea', RETENTION)).resolves.toEqual({ epoch, offset: 1 });
    expect((await store.top('other', RETENTION)).epoch).not.toBe(other.epoch);
  });

  it('are cleared unless their epoch is too young', async () => {
    const { epoch } = await append('1', 'a');
    await runtime.advance(MINUTE - 1);
    await expect(store.clear('tea', RETENTION, MINUTE)).resolves.toEqual({ epoch, offset: 1 });
    await runtime.advance(1);
    const cleared = await store.clear('tea', RETENTION, MINUTE);
    expect(cleared.epoch).not.toBe(epoch);
    expect(cleared.offset).toBe(0);
    await expect(append('1', 'a')).resolves.toEqual({ ...cleared, offset: 1, isRepeated: false });
  });

  it('leave no timer behind once all are forgotten', async () => {
    await append('1');
    expect(runtime.size).toBe(1);
    await runtime.advance(HOUR + MINUTE);
    expect(runtime.size).toBe(0);
    await append('1');
    store.stop();
    expect(runtime.size).toBe(0);
  });
});

describe('The rooms whose messages have expired in Redis', () => {
  let removed: string[];
  let isAway: boolean;
  let rooms: ExpiredRooms;

  beforeEach(() => {
    removed = [];
    isAway = false;
    const remove = (roomName: string): Promise<void> => {
      removed.push(roomName);
      return isAway ? Promise.reject(new Error('away')) : Promise.resolve();
    };
    rooms = new ExpiredRooms(remove, runtime);
  });

  it('are looked at once, after their time', async () => {
    rooms.used('tea', RETENTION);
    rooms.used('coffee', { ...RETENTION, ttl: 10 * MINUTE });
    await runtime.advance(MINUTE / 2);
    rooms.used('tea', RETENTION);
    await runtime.advance(MINUTE);
    expect(removed).toEqual([]);
    await runtime.advance(MINUTE / 2);
    expect(removed).toEqual(['tea']);
    await runtime.advance(10 * MINUTE);
    expect(removed).toEqual(['tea', 'coffee']);
    expect(runtime.size).toBe(0);
  });

  it('are looked at again when Redis was away', async () => {
    rooms.used('tea', RETENTION);
    isAway = true;
    await runtime.advance(2 * MINUTE);
    expect(removed.length).toBeGreaterThan(1);
    isAway = false;
    removed.length = 0;
    await runtime.advance(MINUTE);
    expect(removed).toEqual(['tea']);
    rooms.used('tea', RETENTION);
    rooms.stop();
    rooms.used('tea', RETENTION);
    expect(runtime.size).toBe(0);
  });
});
