import { beforeEach, describe, expect, it } from '@jest/globals';
import { Deadlines } from '../../lib/redis/link/deadlines.js';
import { ManualRuntime } from '../support/manual-runtime.js';

describe('Deadlines', () => {
  let clock: ManualRuntime;
  let late: string[][];
  let deadlines: Deadlines<string>;

  beforeEach(() => {
    clock = new ManualRuntime();
    late = [];
    deadlines = new Deadlines(clock, 1_000, (overdue) => late.push(overdue));
  });

  it('tell what is not over when its time is', async () => {
    deadlines.add('a');
    await clock.advance(999);
    expect(late).toEqual([]);
    await clock.advance(1);
    expect(late).toEqual([['a']]);
    expect(deadlines.size).toBe(0);
  });

  it('run for each on its own, with one timer for all', async () => {
    deadlines.add('a');
    await clock.advance(400);
    deadlines.add('b');
    await clock.advance(300);
    deadlines.add('c');
    expect(clock.size).toBe(1);
    await clock.advance(300);
    expect(late).toEqual([['a']]);
    await clock.advance(400);
    expect(late).toEqual([['a'], ['b']]);
    await clock.advance(300);
    expect(late).toEqual([['a'], ['b'], ['c']]);
    expect(clock.size).toBe(0);
  });

  it('say nothing of what was over in time, and say whether it was', async () => {
    deadlines.add('a');
    deadlines.add('b');
    expect(deadlines.delete('a')).toBe(true);
    await clock.advance(1_000);
    expect(late).toEqual([['b']]);
    expect(deadlines.delete('b')).toBe(false);
  });

  it('begin anew for what is added again', async () => {
    deadlines.add('a');
    deadlines.add('b');
    await clock.advance(600);
    deadlines.add('a');
    await clock.advance(400);
    expect(late).toEqual([['b']]);
    await clock.advance(600);
    expect(late).toEqual([['b'], ['a']]);
  });

  it('give everything back, and no timer stays', () => {
    deadlines.add('a');
    deadlines.add('b');
    expect(deadlines.takeAll()).toEqual(['a', 'b']);
    expect([deadlines.size, clock.size]).toEqual([0, 0]);
  });

  it('are put off when this process stood still, so that what has come meanwhile can be read', async () => {
    deadlines.add('answered');
    deadlines.add('not answered');
    await clock.stall(4_000);
    expect(late).toEqual([]);
    deadlines.delete('answered');
    await clock.advance(500);
    expect(late).toEqual([['not answered']]);
  });

  it('are not put off for ever by a process that is always late', async () => {
    deadlines.add('a');
    for (let times = 0; times < 3; times++) await clock.stall(2_000);
    expect(late).toEqual([]);
    await clock.stall(2_000);
    expect(late).toEqual([['a']]);
  });
});
