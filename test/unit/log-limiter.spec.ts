import { expect, it } from '@jest/globals';
import { LogLimiter } from '../../lib/errors/log-limiter.js';
import { ManualRuntime } from '../support/manual-runtime.js';

it('lets five lines of a kind through in any second, and tells how many it held back', async () => {
  const clock = new ManualRuntime();
  const limiter = new LogLimiter(clock);
  const admitted = (kind: string): number =>
    Array.from({ length: 20 }, () => limiter.admit(kind)).filter(Boolean).length;
  await clock.advance(900);
  expect(admitted('The bus is down.')).toBe(5);
  expect(admitted('A hook failed.')).toBe(5);
  await clock.advance(200);
  expect(admitted('The bus is down.')).toBe(0);
  await clock.advance(800);
  expect(limiter.admit('The bus is down.')).toEqual({ heldBack: 35 });
  expect(limiter.admit('The bus is down.')).toEqual({ heldBack: 0 });
});
