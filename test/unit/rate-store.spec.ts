import { describe, expect, it } from '@jest/globals';
import { MemoryRateStore } from '../../lib/limits/memory.rate-store.js';
import { ManualRuntime } from '../support/manual-runtime.js';

describe('The rates of routes', () => {
  it('count each key for itself, within a window that begins with its first use', async () => {
    const clock = new ManualRuntime();
    const rates = new MemoryRateStore(clock);
    const rate = { limit: 2, ttl: 1_000 };
    expect([rates.use('a', rate), rates.use('a', rate), rates.use('a', rate), rates.use('b', rate)]).toEqual([
      0, 0, 1_000, 0,
    ]);
    await clock.advance(400);
    expect(rates.use('a', rate)).toBe(600);
    await clock.advance(600);
    expect(rates.use('a', rate)).toBe(0);
  });

  it('forget windows that have ended by themselves', async () => {
    const clock = new ManualRuntime();
    const rates = new MemoryRateStore(clock);
    for (let n = 0; n < 20_000; n++) {
      if (n % 1_000 === 0) await clock.advance(10);
      rates.use(`key ${n}`, { limit: 1, ttl: 10 });
    }
    expect(rates.size).toBeLessThan(4_000);
  });
});
