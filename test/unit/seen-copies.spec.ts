import { describe, expect, it } from '@jest/globals';
import { SeenCopies } from '../../lib/cluster/seen-copies.js';

describe('The copies of an envelope', () => {
  it('are told from the first one, each sender for itself', () => {
    const seen = new SeenCopies();
    expect(seen.isFirst('a', '1')).toBe(true);
    expect(seen.isFirst('a', '1')).toBe(false);
    expect(seen.isFirst('b', '1')).toBe(true);
    expect(seen.isFirst(null, '1')).toBe(true);
    expect(seen.isFirst(null, '1')).toBe(false);
  });

  it('are remembered for the last 1,024 envelopes, and no more', () => {
    const seen = new SeenCopies();
    for (let copy = 0; copy < 1_024; copy++) seen.isFirst('a', String(copy));
    expect(seen.isFirst('a', '0')).toBe(false);
    seen.isFirst('a', '1024');
    expect(seen.isFirst('a', '1')).toBe(false);
    expect(seen.isFirst('a', '0')).toBe(true);
  });
});
