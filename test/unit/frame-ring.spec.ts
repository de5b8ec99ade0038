import { describe, expect, it, jest } from '@jest/globals';
import { Exclusion } from '../../lib/clients/exclusion.js';
import { FrameRing } from '../../lib/history/frame-ring.js';
import { ReplayBudget } from '../../lib/history/replay-budget.js';
import { RingBudget } from '../../lib/history/ring-budget.js';
import type { ClientSession } from '../../lib/clients/session/client-session.js';
import { frameText } from '../../lib/clients/session/text-frame.js';
import { ManualRuntime } from '../support/manual-runtime.js';

const ONE = Exclusion.of({ exclude: ['a'] });

function filled(count: number, size = 100, next = 1): FrameRing {
  const ring = new FrameRing(next);
  for (let at = 0; at < count; at++) ring.push(frameText(`${next + at} `.padEnd(size, '.')), undefined);
  return ring;
}

function texts(ring: FrameRing, from: number, to: number): string[] {
  return Array.from(
    { length: to - from + 1 },
    (_, at) =>
      ring
        .frame(from + at)
        .text.trimEnd()
        .split(' ')[0] ?? '',
  );
}

describe('the ring of frames', () => {
  it('has each frame by its offset, over many chunks', () => {
    const ring = filled(2_000, 100, 501);
    expect(ring.first).toBe(501);
    expect(texts(ring, 501, 503)).toEqual(['501', '502', '503']);
    expect(texts(ring, 1_900, 1_901)).toEqual(['1900', '1901']);
    expect(texts(ring, 2_500, 2_500)).toEqual(['2500']);
    expect(() => ring.frame(500)).toThrow(RangeError);
    expect(() => ring.frame(2_501)).toThrow(RangeError);
  });

  it('shares a frame among its readers, until it lets go of it', () => {
    const ring = filled(3);
    const frame = ring.frame(2);
    expect(ring.frame(2)).toBe(frame);
    ring.forgetFrames();
    expect(ring.frame(2)).not.toBe(frame);
    expect(ring.frame(2).bytes).toEqual(frame.bytes);
  });

  it('takes little more than the bytes of its frames', () => {
    for (const size of [60, 200, 1_000]) {
      const ring = filled(500, size);
      expect(ring.bytes / ring.bytesFrom(1)).toBeLessThan(1.2);
    }
  });

  it('grows at the old end, too', () => {
    const ring = filled(2, 100, 11);
    ring.prepend([frameText('9 '), frameText('10 ')], [ONE, undefined]);
    ring.prepend([frameText('8 ')], [undefined]);
    expect(texts(ring, 8, 12)).toEqual(['8', '9', '10', '11', '12']);
    expect([8, 9, 10, 11].map((offset) => ring.exclusionOf(offset))).toEqual([undefined, ONE, undefined, undefined]);
  });

  it('counts the bytes from an offset on', () => {
    const ring = filled(1_000);
    expect(ring.bytesFrom(1_001)).toBe(0);
    expect(ring.bytesFrom(1_000)).toBe(102);
    expect(ring.bytesFrom(1)).toBe(102_000);
  });

  it('drops whole chunks that nobody needs, and never the newest one', () => {
    const ring = filled(2_000);
    ring.dropBefore(1_500);
    expect(ring.first).toBeGreaterThan(1_000);
    expect(ring.first).toBeLessThanOrEqual(1_500);
    ring.dropBefore(9_999);
    expect(ring.first).toBeLessThanOrEqual(2_000);
  });
});

describe('the budget of all rings', () => {
  const MiB = 1_048_576;

  it('takes the oldest frames of the room that was written to longest ago', () => {
    const budget = new RingBudget();
    const rings = [filled(7_000, 1_024), filled(7_000, 1_024), filled(7_000, 1_024)];
    for (const ring of rings) budget.note(ring);
    expect(budget.bytes).toBeLessThanOrEqual(16 * MiB);
    expect(rings[0]?.first).toBeGreaterThan(4_000);
    expect(rings.map((ring) => ring.first).slice(1)).toEqual([1, 1]);
    expect(budget.bytes).toBe(rings.reduce((sum, ring) => sum + ring.bytes, 0));
  });

  it('leaves alone what somebody is about to read, until then', () => {
    const budget = new RingBudget();
    const rings = [filled(9_000, 1_024), filled(9_000, 1_024)] as const;
    budget.pin(rings[0]);
    for (const ring of rings) budget.note(ring);
    expect(rings[0].first).toBe(1);
    expect(rings[1].first).toBeGreaterThan(1);
    budget.unpin(rings[0]);
    expect(budget.bytes).toBeLessThanOrEqual(16 * MiB);
  });

  it('bounds also very many small rooms', () => {
    const budget = new RingBudget();
    const rings = Array.from({ length: 17_000 }, () => filled(1));
    for (const ring of rings) budget.note(ring);
    expect(budget.bytes).toBeLessThanOrEqual(16 * MiB);
    expect(rings[0]?.bytes).toBe(0);
    expect(rings.at(-1)?.bytes).toBeGreaterThan(0);
  });

  it('forgets a room that is closed', () => {
    const budget = new RingBudget();
    const ring = filled(10);
    budget.note(ring);
    budget.remove(ring);
    expect(budget.bytes).toBe(0);
  });
});

describe('the budget of replays', () => {
  const MiB = 1_048_576;

  it('looks at few other readers when one begins a minute, however many there are', async () => {
    const runtime = new ManualRuntime();
    const budget = new ReplayBudget(MiB, runtime);
    const looks = jest.spyOn(runtime, 'monotonic');
    const spend = (client: number): void => {
      const reader: Pick<ClientSession, 'user' | 'clientId'> = { user: null, clientId: String(client) };
      budget.spendOfMinute(reader as ClientSession, 16 * MiB);
    };
    for (let client = 0; client < 3_000; client++) spend(client);
    expect(looks.mock.calls.length).toBeLessThan(10_000);
    await runtime.advance(60_000);
    const again = { user: null, clientId: '0' } as ClientSession;
    expect(budget.leftOfMinute(again)).toBe(16 * MiB);
    spend(0);
    expect(budget.leftOfMinute(again)).toBe(0);
  });
});
