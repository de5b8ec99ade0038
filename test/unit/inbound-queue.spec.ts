import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { InboundQueue, type InboundLimits, type InboundOwner } from '../../lib/clients/session/inbound-queue.js';
import type { InboundMessage } from '../../lib/protocol/messages.js';
import { Gate } from '../support/gate.js';

function message(action: string): InboundMessage {
  return { type: 'test', action, data: undefined, id: undefined, whole: undefined };
}

/** Messages whose action has a gate run until it opens; all others finish at once. */
class Owner implements InboundOwner {
  readonly started: string[] = [];
  readonly readings: boolean[] = [];
  readonly gates = new Map<string, Gate>();
  awaitsAnswer = false;

  run({ action }: InboundMessage): Promise<void> | undefined {
    this.started.push(action);
    return this.gates.get(action)?.passed;
  }

  holdReading(): void {
    this.readings.push(false);
  }

  releaseReading(): void {
    this.readings.push(true);
  }

  hold(...actions: string[]): void {
    for (const action of actions) this.gates.set(action, new Gate());
  }

  async open(action: string): Promise<void> {
    this.gates.get(action)?.open();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const dispatcher = { dispatch: (owner: Owner, given: InboundMessage) => owner.run(given) };

function queueOf(owner: Owner, limits: Partial<InboundLimits> = {}, released = true): InboundQueue<Owner> {
  return new InboundQueue({ concurrency: 1, queue: 4, ...limits }, owner, dispatcher, released);
}

function push(queue: InboundQueue<Owner>, actions: string): void {
  for (const action of actions) queue.push(message(action));
}

describe('a queue', () => {
  it('runs messages in order, each after the one before, and those that finish at once in the same turn', async () => {
    const owner = new Owner();
    owner.hold('b');
    const queue = queueOf(owner);
    push(queue, 'abc');
    expect(owner.started).toEqual(['a', 'b']);
    await owner.open('b');
    expect(owner.started).toEqual(['a', 'b', 'c']);
    expect(queue.isIdle).toBe(true);
  });

  it('runs as many at once as its concurrency allows', async () => {
    const owner = new Owner();
    owner.hold('a', 'b', 'c');
    const queue = queueOf(owner, { concurrency: 2 });
    push(queue, 'abc');
    expect(owner.started).toEqual(['a', 'b']);
    await owner.open('b');
    expect(owner.started).toEqual(['a', 'b', 'c']);
  });

  it('keeps everything until it is released', () => {
    const owner = new Owner();
    const queue = queueOf(owner, {}, false);
    push(queue, 'ab');
    expect(owner.started).toEqual([]);
    queue.release();
    expect(owner.started).toEqual(['a', 'b']);
  });

  it('asks for a pause when it is full, and for its end when half is free', async () => {
    const owner = new Owner();
    owner.hold('a', 'c', 'd');
    const queue = queueOf(owner);
    push(queue, 'abcd');
    expect(owner.readings).toEqual([]);
    push(queue, 'e');
    push(queue, 'f');
    expect(owner.readings).toEqual([false]);
    await owner.open('a');
    expect(owner.readings).toEqual([false]);
    await owner.open('c');
    expect(owner.readings).toEqual([false, true]);
  });

  it('takes more while an answer stands behind it, but not without end', () => {
    const owner = new Owner();
    owner.hold('a');
    const queue = queueOf(owner);
    push(queue, 'abcde');
    expect(owner.readings).toEqual([false]);
    owner.awaitsAnswer = true;
    queue.adjust();
    expect(owner.readings).toEqual([false, true]);
    push(queue, 'x'.repeat(200));
    expect(owner.readings).toEqual([false, true, false]);
    owner.awaitsAnswer = false;
    queue.adjust();
    expect(owner.readings).toEqual([false, true, false]);
  });

  it('gives what waits back when it is cleared, and tells when it is idle', async () => {
    const owner = new Owner();
    owner.hold('a');
    const queue = queueOf(owner);
    push(queue, 'abcdef');
    let idle = false;
    const told = queue.whenIdle().then(() => (idle = true));
    expect(queue.clear().map(({ action }) => action)).toEqual(['b', 'c', 'd', 'e', 'f']);
    expect(owner.readings).toEqual([false, true]);
    expect(idle).toBe(false);
    await owner.open('a');
    await told;
    expect(owner.started).toEqual(['a']);
  });

  it('that was never released is idle once it is cleared', async () => {
    const queue = queueOf(new Owner(), {}, false);
    push(queue, 'a');
    const idle = queue.whenIdle();
    queue.clear();
    await idle;
    expect(queue.isIdle).toBe(true);
  });

  it('gives each message the async scope in which it arrived', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    class Looking extends Owner {
      override run(given: InboundMessage): Promise<void> | undefined {
        seen.push(storage.getStore());
        storage.enterWith(`set by ${given.action}`);
        return super.run(given);
      }
    }
    const owner = new Looking();
    owner.hold('a');
    const queue = queueOf(owner);
    push(queue, 'ab');
    await owner.open('a');
    push(queue, 'c');
    expect(seen).toEqual([undefined, undefined, undefined]);
    expect(storage.getStore()).toBeUndefined();
  });
});
