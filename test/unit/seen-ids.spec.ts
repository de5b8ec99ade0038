import { describe, expect, it } from '@jest/globals';
import { MAX_AGE, SeenIds } from '../../lib/redis/messages/seen-ids.js';

const NOW = 1_700_000_000_500;

describe('The ids of messages', () => {
  it('are known from then on, each sender for itself, in any order', () => {
    const seen = new SeenIds();
    const numbers = [7, 31, 32, 0, 33, 1_000_000, 2 ** 31 + 5, 2 ** 40, Number.MAX_SAFE_INTEGER];
    const judged = (sender: string): string[] => numbers.map((n) => seen.judge(`${sender}.${n}`, NOW, NOW));
    expect(new Set([...judged('a'), ...judged('b')])).toEqual(new Set(['new']));
    expect(new Set([...judged('a'), ...judged('b')])).toEqual(new Set(['repeated']));
  });

  it('may be another text', () => {
    const seen = new SeenIds();
    const ids = ['', 'a', 'a.b', 'a.-1', 'a.1.5', '7', 'a.99999999999999999999', '\ud800.1'];
    expect(ids.map((id) => seen.judge(id, NOW, NOW))).toEqual(ids.map(() => 'new'));
    expect(ids.map((id) => seen.judge(id, NOW, NOW))).toEqual(ids.map(() => 'repeated'));
  });

  it('are known for as long as the age of their message lets it through', () => {
    const seen = new SeenIds();
    seen.judge('a.1', NOW, NOW);
    for (let later = NOW; later <= NOW + MAX_AGE; later += 250) {
      expect([later - NOW, seen.judge('a.1', NOW, later)]).toEqual([later - NOW, 'repeated']);
      // What comes meanwhile makes it forget what is over.
      seen.judge(`b.${later}`, later, later);
    }
    expect(seen.judge('a.1', NOW, NOW + MAX_AGE + 1)).toBe('stale');
  });

  it('are not taken again when the clock goes back a little, once they are forgotten', () => {
    const seen = new SeenIds();
    seen.judge('a.1', NOW, NOW);
    seen.judge('b.1', NOW + 11_600, NOW + 11_600);
    expect(seen.judge('a.1', NOW, NOW + 9_000)).toBe('stale');
    expect(seen.judge('b.2', NOW + 9_000, NOW + 9_000)).toBe('new');
  });

  it('are taken when the clock goes back far', () => {
    const seen = new SeenIds();
    seen.judge('a.1', NOW, NOW);
    seen.judge('a.2', NOW + 60_000, NOW + 60_000);
    const hourAgo = NOW - 3_600_000;
    expect(seen.judge('a.3', hourAgo, hourAgo)).toBe('new');
  });

  it('of messages from a clock far ahead, or without a time, are not taken', () => {
    const seen = new SeenIds();
    const times = [NOW + MAX_AGE, NOW + MAX_AGE + 1, Infinity, NaN];
    expect(times.map((at) => seen.judge('a.1', at, NOW))).toEqual(['new', 'stale', 'stale', 'stale']);
  });

  it('are bounded: the oldest are forgotten, and counted', () => {
    const seen = new SeenIds(1_000);
    // A stranger makes up a sender for each message, which costs most.
    for (let n = 0; n < 1_000; n++) seen.judge(`sender ${n}.1`, NOW + 2 * n, NOW + 2 * n);
    expect(seen.overflow).toBeGreaterThan(500);
    expect(seen.overflow).toBeLessThan(1_000);
    expect(seen.judge('sender 999.1', NOW + 1_998, NOW + 2_000)).toBe('repeated');
    expect(seen.judge('sender 0.1', NOW, NOW + 2_000)).toBe('new');
  });

  it('of ten seconds fit, whatever part of a sender’s messages is heard', () => {
    // A hundredth of 100,000 a second, and of the room for them.
    const seen = new SeenIds(15_000);
    for (let n = 0; n < 11_000; n++) seen.judge(`AAAAAAAA.${n * 40}`, NOW + n, NOW + n);
    expect(seen.overflow).toBe(0);
    expect(seen.judge('AAAAAAAA.40000', NOW + 1_000, NOW + 11_000)).toBe('repeated');
  });
});
