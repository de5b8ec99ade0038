import { describe, expect, it } from '@jest/globals';
import { Backoff } from '../../lib/redis/link/backoff.js';
import { FaultLog } from '../../lib/redis/link/fault-log.js';
import { RedisClock } from '../../lib/redis/link/redis-clock.js';
import { ManualRuntime } from '../support/manual-runtime.js';

describe('The wait before a connection is tried again', () => {
  it('doubles up to its limit, with jitter, and begins anew once it went well', () => {
    const backoff = new Backoff(new ManualRuntime(), 50, 1_000);
    for (const whole of [50, 100, 200, 400, 800, 1_000, 1_000]) {
      const wait = backoff.next();
      expect([wait >= whole / 2, wait <= whole]).toEqual([true, true]);
    }
    backoff.reset();
    expect(backoff.next()).toBeLessThanOrEqual(50);
  });
});

describe('What is said of faults', () => {
  it('is at most five lines a second, and tells how many it left out', async () => {
    const clock = new ManualRuntime();
    const lines: string[] = [];
    const log = new FaultLog((_level, line) => lines.push(line), clock);
    for (let at = 1; at <= 50; at++) log.report('warn', `fault ${at}`);
    expect(lines).toEqual(['fault 1', 'fault 2', 'fault 3', 'fault 4', 'fault 5']);
    await clock.advance(1_000);
    log.report('log', 'over');
    log.report('log', 'really');
    expect(lines.slice(5)).toEqual(['over (45 lines before it were left out)', 'really']);
  });
});

describe("The estimate of Redis' clock", () => {
  it('is the own clock before Redis has answered', () => {
    const clock = new ManualRuntime();
    expect(new RedisClock(clock).now()).toBe(clock.now());
  });

  it('takes the answer for the middle of its round trip, and trusts the quickest most', async () => {
    const clock = new ManualRuntime();
    const estimate = new RedisClock(clock);
    const redisIsAhead = 5_000;
    for (const [there, back] of [
      [900, 100],
      [1, 1],
      [10, 700],
    ] as const) {
      const sentAt = clock.monotonic();
      await clock.advance(there);
      const redisTime = clock.now() + redisIsAhead;
      await clock.advance(back);
      estimate.learn(sentAt, [Math.floor(redisTime / 1_000), (redisTime % 1_000) * 1_000]);
    }
    expect(estimate.now() - clock.now()).toBe(redisIsAhead);
  });

  it.each([1, null, 'OK', [], ['a', 'b'], [[]]])('learns nothing from an answer that is no time: %j', (answer) => {
    const clock = new ManualRuntime();
    const estimate = new RedisClock(clock);
    expect(estimate.learn(clock.monotonic(), answer)).toBe(false);
    expect(estimate.now()).toBe(clock.now());
  });

  it('follows another server after a failover', async () => {
    const clock = new ManualRuntime();
    const estimate = new RedisClock(clock);
    const learn = (redisTime: number): boolean => estimate.learn(clock.monotonic(), [redisTime / 1_000, 0]);
    learn(1_000_000);
    estimate.forget();
    learn(2_000_000);
    await clock.advance(500);
    expect(estimate.now()).toBe(2_000_500);
  });
});
