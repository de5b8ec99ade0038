import { describe, expect, it } from '@jest/globals';
import { MemoryRevocations } from '../../lib/auth/tokens/memory.revocations.js';
import { ManualRuntime } from '../support/manual-runtime.js';

describe('Revocations', () => {
  it('mean a user’s tokens up to a time, and those that do not tell theirs', () => {
    const revocations = new MemoryRevocations(new ManualRuntime());
    revocations.learn({ subject: { kind: 'user', userId: 'ada' }, before: 1_000, until: Infinity });
    const isRevoked = (userId: string, issuedAt?: number): boolean =>
      revocations.isRevoked({ userId, id: undefined, issuedAt });
    expect([isRevoked('ada', 999), isRevoked('ada', 1_000), isRevoked('ada', 1_001)]).toEqual([true, true, false]);
    expect([isRevoked('ada'), isRevoked('bo', 1)]).toEqual([true, false]);
  });

  it('are not weakened by a later one that means less', () => {
    const clock = new ManualRuntime();
    const revocations = new MemoryRevocations(clock);
    const subject = { kind: 'user', userId: 'ada' } as const;
    revocations.learn({ subject, before: 2_000, until: clock.now() + 10_000 });
    revocations.learn({ subject, before: 1_000, until: clock.now() + 1_000 });
    expect(revocations.isRevoked({ userId: 'ada', id: undefined, issuedAt: 1_500 })).toBe(true);
  });

  it('go once their tokens have expired', async () => {
    const clock = new ManualRuntime();
    const revocations = new MemoryRevocations(clock);
    for (let n = 0; n < 5_000; n++) {
      if (n % 100 === 0) await clock.advance(10);
      revocations.learn({ subject: { kind: 'token', id: `${n}` }, before: Infinity, until: clock.now() + 10 });
    }
    expect(revocations.size).toBeLessThan(500);
    expect(revocations.isRevoked({ userId: 'x', id: '0', issuedAt: 0 })).toBe(false);
  });
});
