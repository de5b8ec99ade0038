import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from '../../lib/limits/token-bucket.js';

describe('A token bucket', () => {
  it('lets a burst through at once, then the rate, and tells when to come again', () => {
    const bucket = new TokenBucket(2, 3, 0);
    expect([0, 0, 0, 0].map((now) => bucket.take(now))).toEqual([0, 0, 0, 500]);
    expect(bucket.take(400)).toBe(100);
    expect(bucket.take(500)).toBe(0);
    expect(bucket.take(500)).toBe(500);
  });

  it('saves no more than the burst, however long it was left alone', () => {
    const bucket = new TokenBucket(2, 3, 0);
    const later = Array.from({ length: 4 }, () => bucket.take(3_600_000));
    expect(later).toEqual([0, 0, 0, 500]);
  });

  it('lets exactly the rate through over a long time', () => {
    const bucket = new TokenBucket(10, 20, 0);
    let through = 0;
    for (let now = 0; now < 60_000; now += 7) if (bucket.take(now) === 0) through++;
    expect(through).toBeGreaterThanOrEqual(618);
    expect(through).toBeLessThanOrEqual(620);
  });
});
