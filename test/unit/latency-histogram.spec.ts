import { describe, expect, it } from '@jest/globals';
import { LatencyHistogram } from '../../lib/cli/bench/measures/latency-histogram.js';
import { SeededRandom } from '../support/seeded-random.js';

const PARTS = [0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1];
/** A bucket is at most so much longer than its shortest time. */
const ERROR = 1 / 128;

/** The time that the given part of the values does not exceed, by sorting all of them. */
function exactQuantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(1, Math.ceil(part * sorted.length)) - 1]!;
}

describe('A histogram of latencies', () => {
  it.each<[string, (random: number) => number]>([
    ['microseconds', (random) => random * 0.4],
    ['milliseconds, with a long tail', (random) => 1 / (1.000_01 - random)],
    ['all lengths', (random) => 10 ** (random * 9 - 3)],
  ])('tells quantiles of %s with a bounded error', (_, timeOf) => {
    const random = new SeededRandom(21);
    const values = Array.from({ length: 20_000 }, () => timeOf(random.next()));
    const histogram = new LatencyHistogram();
    for (const value of values) histogram.record(value);
    for (const part of PARTS) {
      const exact = exactQuantile(values, part);
      const told = histogram.quantile(part);
      // Half a microsecond is rounded away.
      expect(told).toBeGreaterThanOrEqual(exact - 0.000_5);
      expect(told).toBeLessThanOrEqual(exact * (1 + ERROR) + 0.000_5);
    }
    expect(histogram.quantile(1)).toBe(Math.max(...values));
    expect(histogram.least).toBe(Math.min(...values));
    expect(histogram.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 6);
  });

  it('has each time in one bucket, whose bound is the next one above it', () => {
    for (let time = 0; time < 2 ** 31; time = Math.max(time + 1, Math.floor(time * 1.003))) {
      const histogram = new LatencyHistogram();
      histogram.record(time / 1_000);
      const [bucket, ...others] = [...histogram.filled()];
      expect(others).toEqual([]);
      expect(bucket!.upTo * 1_000).toBeGreaterThanOrEqual(time - 1e-6);
      expect(bucket!.upTo * 1_000).toBeLessThanOrEqual(time * (1 + ERROR) + 1e-6);
    }
  });

  it('is the sum of those of several processes, as they write them', () => {
    const random = new SeededRandom(7);
    const [whole, ...parts] = [new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram()];
    for (let at = 0; at < 1_000; at++) {
      const time = random.next() * 100;
      whole.record(time);
      parts[at % 2]!.record(time);
    }
    const sum = new LatencyHistogram();
    for (const part of parts) sum.add(JSON.parse(JSON.stringify(part)) as ReturnType<LatencyHistogram['toJSON']>);
    expect({ ...sum.toJSON(), sum: 0 }).toEqual({ ...whole.toJSON(), sum: 0 });
    expect(sum.count).toBe(1_000);
    expect(sum.mean).toBeCloseTo(whole.mean, 9);
  });

  it('tells 0 of nothing, and takes what is too short or too long', () => {
    const histogram = new LatencyHistogram();
    expect([histogram.quantile(0.5), histogram.most, histogram.least, histogram.mean]).toEqual([0, 0, 0, 0]);
    expect(JSON.stringify(histogram)).toBe('{"buckets":[],"sum":0,"least":null,"most":null}');
    for (const time of [-1, 1e9]) histogram.record(time);
    expect([histogram.quantile(0.5), histogram.quantile(1)]).toEqual(
      [0, 1e9].map((time) => Math.min(time, 2_147_483.647)),
    );
  });
});
