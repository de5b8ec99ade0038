import { describe, expect, it } from '@jest/globals';
import { Histogram, SECONDS } from '../../lib/runtime/metrics/histogram.js';

describe('A histogram', () => {
  it('counts up to each bound, which belongs to its bucket', () => {
    const histogram = new Histogram();
    for (const seconds of [0, 0.0005, 0.0006, 10, 10.1]) histogram.observe(seconds);
    const { buckets, count, sum } = histogram.read();
    expect(buckets.map(({ count }) => count)).toEqual([2, ...SECONDS.slice(1, -1).map(() => 3), 4]);
    expect(count).toBe(5);
    expect(sum).toBeCloseTo(20.1011);
  });

  it('begins with nothing', () => {
    const { buckets, count, sum } = new Histogram().read();
    expect(buckets.map(({ le }) => le)).toEqual(SECONDS);
    expect([count, sum, ...buckets.map(({ count }) => count)].every((number) => number === 0)).toBe(true);
  });
});
