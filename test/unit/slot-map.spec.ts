import { describe, expect, it } from '@jest/globals';
import { SETTLING, SlotMap } from '../../lib/redis/topology/slot-map.js';
import { ConnectionCopies } from '../../lib/redis/subscriptions/message-copies.js';
import { ManualRuntime } from '../support/manual-runtime.js';

function slots(owner: (slot: number) => string): string[][] {
  return Array.from({ length: 16_384 }, (_, slot) => [owner(slot)]);
}

describe('A map of slots', () => {
  it('takes every slot for moving at first, and later those that have another owner, for a while', async () => {
    const runtime = new ManualRuntime();
    const map = new SlotMap(runtime);
    expect(map.learn(slots(() => 'a:1'))).toBe(false);
    expect([map.isMoving(0), map.isMoving(16_383)]).toEqual([true, true]);
    await runtime.advance(SETTLING);
    expect([map.isMoving(0), map.isDraining('a:1')]).toEqual([false, false]);
    expect(map.learn(slots((slot) => (slot === 5 ? 'b:1' : 'a:1')))).toBe(true);
    expect([map.isMoving(5), map.isMoving(6), map.ownerOf(5)]).toEqual([true, false, 'b:1']);
    expect([map.isDraining('a:1'), map.isDraining('b:1')]).toEqual([true, false]);
    expect(map.byOwner().get('b:1')).toEqual(new Set([5]));
    await runtime.advance(2 * SETTLING);
    expect([map.isMoving(5), map.isDraining('a:1')]).toEqual([false, false]);
  });

  it('suspects a slot whose messages nobody hears any more, once', async () => {
    const runtime = new ManualRuntime();
    const map = new SlotMap(runtime);
    map.learn(slots(() => 'a:1'));
    await runtime.advance(SETTLING);
    expect([map.isHeard(1, 2), map.isHeard(1, 0), map.isMoving(1)]).toEqual([true, false, true]);
    // It was under way at the same time.
    expect(map.isHeard(1, 0)).toBe(false);
    await runtime.advance(SETTLING);
    expect([map.isHeard(1, 0), map.isMoving(1)]).toEqual([true, false]);
    expect([map.isHeard(1, 1), map.isHeard(1, 0)]).toEqual([true, false]);
  });
});

describe('Messages that come by two connections', () => {
  it('are taken once each, whichever is first, and as often as they were published', () => {
    const messages = new ConnectionCopies();
    const take = (way: 'old' | 'new', text: string): boolean => messages.isFirst(way, 'channel', Buffer.from(text));
    expect([take('old', 'a'), take('new', 'a')]).toEqual([true, false]);
    expect([take('new', 'b'), take('old', 'b')]).toEqual([true, false]);
    expect([take('old', 'c'), take('old', 'c'), take('new', 'c'), take('new', 'c')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([take('new', 'a'), take('new', 'a'), take('old', 'a')]).toEqual([true, true, false]);
  });
});
