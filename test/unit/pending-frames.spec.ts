import { describe, expect, it } from '@jest/globals';
import { OutboxScheduler } from '../../lib/transport/outbox/outbox.scheduler.js';
import { PendingFrames } from '../../lib/transport/outbox/pending-frames.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import type { SharedFrame } from '../../lib/clients/session/client-outbox.interface.js';
import { TextFrame } from '../../lib/clients/session/text-frame.js';

const a = frameOf('a');
const b = frameOf('bb');
const c = frameOf('ccc');
const big = frameOf('x'.repeat(10_000));

/** A frame whose bytes are its text, so that what is written can be read. */
function frameOf(text: string): SharedFrame {
  return { text, bytes: Buffer.from(text) };
}

describe('a chain of pending frames', () => {
  it('is the same one for every socket that appends the same frames', () => {
    const start = new PendingFrames(null, a);

    expect(start.append(b)).toBe(start.append(b));
    expect(start.append(b).append(c)).toBe(start.append(b).append(c));
    expect(start.append(b)).not.toBe(start.append(c));
  });

  it('forks where sockets get different frames, and each fork keeps its own bytes', () => {
    const start = new PendingFrames(null, a);
    const one = start.append(b).append(c);
    const other = start.append(c).append(b);

    expect(String(one.chunks())).toBe('abbccc');
    expect(String(other.chunks())).toBe('acccbb');
    expect(String(start.chunks())).toBe('a');
  });

  it('tells equal bytes of different frames apart', () => {
    const start = new PendingFrames(null, a);

    expect(start.append(frameOf('same'))).not.toBe(start.append(frameOf('same')));
  });

  it('counts the bytes of all its frames', () => {
    expect(new PendingFrames(null, a).append(b).append(c).byteLength).toBe(6);
  });

  it('of one frame is written as that frame, never copied', () => {
    expect(new PendingFrames(null, big).chunks()).toBe(big.bytes);
  });

  it('is joined once for all sockets while it is short', () => {
    const chain = new PendingFrames(null, a).append(b);

    const joined = chain.chunks();

    expect(String(joined)).toBe('abb');
    expect(chain.chunks()).toBe(joined);
  });

  it('is written frame by frame by the first socket when it is long, and joined once for the others', () => {
    const chain = new PendingFrames(null, big).append(a).append(big);

    expect(chain.chunks()).toEqual([big.bytes, a.bytes, big.bytes]);
    const joined = chain.chunks();
    expect(joined).toEqual(Buffer.concat([big.bytes, a.bytes, big.bytes]));
    expect(chain.chunks()).toBe(joined);
  });
});

describe('a chain with frames that take the place of others', () => {
  it('has of those with one key the newest alone, at its own place, and all others in their order', () => {
    const chain = new PendingFrames(null, a, 'k').append(b).append(c, 'other').append(big, 'k').newest();

    expect(chain.texts()).toEqual(['bb', 'ccc', big.text]);
    expect([chain.length, chain.byteLength]).toEqual([3, 10_005]);
    expect(new PendingFrames(null, a, 'k').append(b, 'k').newest().texts()).toEqual(['bb']);
    expect(new PendingFrames(null, a).append(b, 'k').newest().texts()).toEqual(['a', 'bb']);
  });

  it('is shared like any other, by those that have its frames with the same keys', () => {
    const start = new PendingFrames(null, a, 'k').append(b);

    expect(start.append(c, 'k')).toBe(start.append(c, 'k'));
    expect(start.append(c, 'k').newest()).toBe(start.append(c, 'k').newest());
    expect(start.append(c, 'k').newest().texts()).toEqual(['bb', 'ccc']);
    expect(start.append(c, 'l').newest().texts()).toEqual(['a', 'bb', 'ccc']);
  });
});

describe('the outbox scheduler', () => {
  it('begins one chain for all sockets whose first frame in a turn is the same', async () => {
    const scheduler = new OutboxScheduler(new Runtime());
    const frame = new TextFrame('hello');

    const chain = scheduler.beginChain(frame);
    expect(scheduler.beginChain(frame)).toBe(chain);
    expect(scheduler.beginChain(new TextFrame('hello'))).not.toBe(chain);

    await new Promise<void>((resolve) => scheduler.schedule({ flush: resolve }));
    expect(scheduler.beginChain(frame)).not.toBe(chain);
  });

  it('keeps no chain beyond its turn, also when all its frames wait in windows', async () => {
    const scheduler = new OutboxScheduler(new Runtime());
    const frame = new TextFrame('hello');

    const chain = scheduler.beginChain(frame);
    await new Promise((resolve) => setImmediate(resolve));
    expect(scheduler.beginChain(frame)).not.toBe(chain);
  });

  it('flushes every socket of a turn, and those of the next turn again', async () => {
    const scheduler = new OutboxScheduler(new Runtime());
    const flushed: string[] = [];

    for (let turn = 0; turn < 2; turn++) {
      await new Promise<void>((resolve) => {
        scheduler.schedule({ flush: () => void flushed.push(`first ${turn}`) });
        scheduler.schedule({
          flush: () => {
            flushed.push(`second ${turn}`);
            resolve();
          },
        });
      });
    }

    expect(flushed).toEqual(['first 0', 'second 0', 'first 1', 'second 1']);
  });
});
