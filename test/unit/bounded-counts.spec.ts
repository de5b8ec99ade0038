import { describe, expect, it } from '@jest/globals';
import { BoundedCounts } from '../../lib/runtime/metrics/bounded-counts.js';

describe('bounded counts', () => {
  it('count a hundred names by themselves, and all others together', () => {
    const counts = new BoundedCounts([]);
    for (let number = 0; number < 200; number++) counts.count(`name ${number % 150}`);
    const seen = Object.fromEntries(counts);
    expect(Object.keys(seen)).toHaveLength(101);
    expect(seen).toMatchObject({ 'name 0': 2, 'name 99': 1, other: 50 });
  });

  it('count the known names whatever has come before', () => {
    const counts = new BoundedCounts(['known', 'unused']);
    for (let number = 0; number < 150; number++) counts.count(`name ${number}`);
    counts.count('known');
    const seen = Object.fromEntries(counts);
    expect(Object.keys(seen)).toHaveLength(102);
    expect(seen).toMatchObject({ known: 1, other: 50 });
  });

  it('keep neither long names nor what is no readable text', () => {
    const counts = new BoundedCounts([]);
    for (const name of ['x'.repeat(65), 'a\nb', '\u0001', 'ß', 7, undefined, Symbol('s')]) counts.count(name);
    expect([...counts]).toEqual([['other', 7]]);
  });
});
