import { describe, expect, it } from '@jest/globals';
import { LoopDelay } from '../../lib/runtime/metrics/loop-delay.js';
import { eventually } from '../../lib/testing/eventually.js';
import { ManualRuntime } from '../support/manual-runtime.js';

const MINUTE = 60_000;

/** The longest delay, in seconds. */
function longestOf(delay: LoopDelay): number {
  return delay.read().at(-1)?.seconds ?? NaN;
}

describe('the delay of the event loop', () => {
  it('is told for one to two minutes, however often it is read', async () => {
    const runtime = new ManualRuntime();
    const delay = new LoopDelay(runtime);
    expect(delay.read()).toEqual([]);
    delay.start();
    try {
      await eventually('it was late', () => {
        const until = performance.now() + 500;
        while (performance.now() < until);
        return longestOf(delay) > 0.4;
      });
      for (let read = 0; read < 3; read++) expect(longestOf(delay)).toBeGreaterThan(0.4);
      await runtime.advance(MINUTE);
      expect(longestOf(delay)).toBeGreaterThan(0.4);
      await runtime.advance(MINUTE);
      expect(longestOf(delay)).toBeLessThan(0.4);
      expect(delay.read().map(({ percentile }) => percentile)).toEqual([50, 99, 100]);
    } finally {
      delay.stop();
    }
    expect(delay.read()).toEqual([]);
  });
});
