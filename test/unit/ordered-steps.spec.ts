import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { OrderedSteps } from '../../lib/runtime/ordered-steps.js';
import { Gate } from '../support/gate.js';
import { SeededRandom } from '../support/seeded-random.js';

/** A step whose items are answered by hand. */
class ManualStep {
  readonly gates = new Map<string, Gate<string | null>>();
  readonly begun: string[] = [];
  readonly out: string[] = [];
  readonly steps: OrderedSteps<string, string>;

  constructor(limit: number) {
    this.steps = new OrderedSteps<string, string>(limit, (item) => this.#begin(item));
  }

  push(...items: string[]): void {
    for (const item of items) this.steps.push(item, item.length, (result) => this.out.push(result));
  }

  async answer(item: string, result: string | null = item.toUpperCase()): Promise<void> {
    this.gates.get(item)!.open(result);
    await turn();
  }

  #begin(item: string): string | null | Promise<string | null> {
    this.begun.push(item);
    if (item.startsWith('sync')) return item.toUpperCase();
    if (item === 'null') return null;
    const gate = new Gate<string | null>();
    this.gates.set(item, gate);
    return gate.passed;
  }
}

describe('steps in order', () => {
  it('forget what is on its way: nothing more begins, nothing comes out, and who waits is told at once', async () => {
    const step = new ManualStep(2);
    let isTold = false;
    step.push('a', 'b', 'c');
    step.steps.after(() => (isTold = true), 7);
    expect([step.steps.length, step.steps.size]).toEqual([4, 10]);

    step.steps.forget();
    expect([step.steps.length, step.steps.size, isTold]).toEqual([0, 0, true]);
    await step.answer('a');
    await step.answer('b');
    step.push('d');
    await step.answer('d');

    expect(step.begun).toEqual(['a', 'b', 'd']);
    expect(step.out).toEqual(['D']);
  });

  it('let out at once what is answered at once', () => {
    const step = new ManualStep(1);
    step.push('sync', 'null', 'sync 2');
    expect(step.out).toEqual(['SYNC', 'SYNC 2']);
    expect([step.steps.length, step.steps.size]).toEqual([0, 0]);
  });

  it('begin as many items as may be there at once, and let them out in the order in which they came', async () => {
    const step = new ManualStep(2);
    step.push('a', 'b', 'sync', 'c', 'd');
    expect(step.begun).toEqual(['a', 'b']);
    expect([step.steps.length, step.steps.size]).toEqual([5, 8]);

    await step.answer('b');
    expect(step.begun).toEqual(['a', 'b', 'sync', 'c']);
    expect(step.out).toEqual([]);

    await step.answer('a');
    expect(step.begun).toEqual(['a', 'b', 'sync', 'c', 'd']);
    expect(step.out).toEqual(['A', 'B', 'SYNC']);

    await step.answer('d');
    await step.answer('c', null);
    expect(step.out).toEqual(['A', 'B', 'SYNC', 'D']);
    expect([step.steps.length, step.steps.size]).toEqual([0, 0]);
  });

  it('call back behind everything that came before, and before what comes later', async () => {
    const step = new ManualStep(3);
    const note = (what: string) => () => void step.out.push(what);
    step.steps.after(note('at once'));
    step.push('a', 'b');
    step.steps.after(note('behind b'));
    step.push('sync');

    await step.answer('b');
    await step.answer('a');

    expect(step.out).toEqual(['at once', 'A', 'B', 'behind b', 'SYNC']);
  });

  it('take more while they let out', async () => {
    const step = new ManualStep(1);
    step.push('a');
    step.steps.after(() => step.push('sync 1', 'b', 'sync 2'));
    step.push('sync 0');

    await step.answer('a');
    await step.answer('b');

    expect(step.out).toEqual(['A', 'SYNC 0', 'SYNC 1', 'B', 'SYNC 2']);
  });

  it('keep the order of a thousand items that take random times', async () => {
    const random = new SeededRandom(1);
    const out: number[] = [];
    let now = 0;
    let most = 0;
    const steps = new OrderedSteps<number, number>(7, async (item) => {
      most = Math.max(most, ++now);
      for (let turns = random.below(5); turns > 0; turns--) await turn();
      now--;
      return item;
    });
    const items = Array.from({ length: 1_000 }, (_, n) => n);

    for (const item of items) steps.push(item, 1, (result) => out.push(result));
    await new Promise<void>((resolve) => steps.after(resolve));

    expect(out).toEqual(items);
    expect(most).toBe(7);
  });
});
