import { expect, it } from '@jest/globals';
import { LogLimiter } from '../../lib/errors/log-limiter.js';
import { ManualRuntime } from '../support/manual-runtime.js';

it('lets two equal lines through each second, five altogether, and tells how many it held back', async () => {
  const clock = new ManualRuntime();
  const limiter = new LogLimiter(clock);
  const admitted = (line: string): number =>
    Array.from({ length: 20 }, () => limiter.admit(line)).filter(Boolean).length;
  expect(admitted('The bus is down.')).toBe(2);
  expect(admitted('A hook failed.')).toBe(2);
  expect(admitted('A handler failed.')).toBe(1);
  expect(admitted('A rule failed.')).toBe(0);
  await clock.advance(1_000);
  expect(limiter.admit('The bus is down.')).toEqual({ heldBack: 18 });
  expect(limiter.admit('The bus is down.')).toEqual({ heldBack: 0 });
  expect(limiter.admit('A rule failed.')).toEqual({ heldBack: 20 });
});
