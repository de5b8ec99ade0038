import { beforeEach, describe, expect, it } from '@jest/globals';
import { FaultLog } from '../../lib/redis/link/fault-log.js';
import { MessageSeal, type Secrets } from '../../lib/redis/messages/message-seal.js';
import { RedisClock } from '../../lib/redis/link/redis-clock.js';
import { mutationOf } from '../support/mutations.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { SeededRandom } from '../support/seeded-random.js';

const [OLD, NEW] = ['an old secret of 32 characters..', 'a new secret of 32 characters...'];
const CHANNEL = 'pxl:room:chess';

let clock: ManualRuntime;
let lines: string[];

beforeEach(() => {
  clock = new ManualRuntime();
  lines = [];
});

function sealOf(...secrets: Secrets): MessageSeal {
  const log = new FaultLog((level, line) => lines.push(`${level} ${line}`), clock);
  return new MessageSeal(secrets, new RedisClock(clock), log, clock);
}

function open(seal: MessageSeal, sealed: string | Buffer, channel = CHANNEL): string | undefined {
  return seal.open(channel, Buffer.from(sealed))?.toString();
}

function countsOf(seal: MessageSeal): Record<string, number> {
  const metrics = [...seal.metrics()];
  return Object.fromEntries(metrics.map(({ name, labels, value }) => [labels?.reason ?? name, value]));
}

describe('A message that is sealed', () => {
  it.each(['', 'hello', '{"a":"\u00e9\ud83d\ude00"}\n\n{}', 'x'.repeat(10_000)])('opens unchanged: %j', (message) => {
    expect(open(sealOf(OLD), sealOf(OLD).seal(CHANNEL, message))).toBe(message);
  });

  it('may be bytes', () => {
    const bytes = Buffer.from([0, 10, 255, 128]);
    expect(sealOf(OLD).open(CHANNEL, Buffer.from(sealOf(OLD).seal(CHANNEL, bytes)))).toEqual(bytes);
  });

  it('opens once, for ten seconds, and on its own channel', async () => {
    const [sender, receiver] = [sealOf(OLD), sealOf(OLD)];
    const [one, two, three] = [1, 2, 3].map((n) => sender.seal(CHANNEL, `message ${n}`)) as [string, string, string];
    expect([open(receiver, one), open(receiver, one)]).toEqual(['message 1', undefined]);
    expect(open(receiver, two, 'pxl:room:go')).toBeUndefined();
    await clock.advance(10_000);
    expect([open(receiver, one), open(receiver, two)]).toEqual([undefined, 'message 2']);
    await clock.advance(1);
    expect(open(receiver, three)).toBeUndefined();
    expect(countsOf(receiver)).toMatchObject({ signature: 1, repeated: 2, stale: 1 });
  });

  it('opens at any time, and any number of times, where it is kept', async () => {
    const sealed = sealOf(OLD).seal(CHANNEL, 'x\n\u00e9');
    const [receiver, both] = [sealOf(OLD), sealOf(NEW, OLD)];
    await clock.advance(1_000_000);
    for (let times = 0; times < 2; times++) expect(receiver.openKept(CHANNEL, sealed)).toBe('x\n\u00e9');
    expect(both.openKept(CHANNEL, sealed)).toBe('x\n\u00e9');
    for (const forged of [sealed, sealOf(NEW).seal('pxl:room:go', 'x'), '', 'x', `${sealed}x`]) {
      expect(receiver.openKept('pxl:room:go', forged)).toBeNull();
    }
    expect(countsOf(receiver)).toMatchObject({ signature: 5, repeated: 0, stale: 0 });
    expect([sealOf(NEW, false).openKept(CHANNEL, 'x'), sealOf(false, NEW).openKept(CHANNEL, 'x')]).toEqual(['x', 'x']);
  });

  it('may have a line before it that is not signed, and keeps it', () => {
    const [sender, receiver] = [sealOf(OLD), sealOf(OLD)];
    const sealed = sender.seal(CHANNEL, 'x\ny');
    expect(open(receiver, `#["e",1]\n${sealed}`)).toBe('#["e",1]\nx\ny');
    // It does not make another message of it.
    expect(open(receiver, `#["e",2]\n${sealed}`)).toBeUndefined();
    expect(open(receiver, `#\n#\n${sender.seal(CHANNEL, 'x')}`)).toBeUndefined();
    expect(open(receiver, '#')).toBeUndefined();
    expect(open(receiver, '#["e",1]\n{"v":1}\n{}')).toBeUndefined();
    expect(countsOf(receiver)).toMatchObject({ signature: 3, repeated: 1 });
  });

  it('does not open when it was signed with another secret, or not at all', () => {
    const receiver = sealOf(NEW);
    for (const forged of [sealOf(OLD).seal(CHANNEL, 'x'), 'x', '', '\n', '{"v":1}\n{}', `${'A'.repeat(22)}.a.1.1\nx`]) {
      expect(open(receiver, forged)).toBeUndefined();
    }
    expect(countsOf(receiver)).toMatchObject({ signature: 6 });
  });

  it('opens with either of two secrets, and is signed with the first', () => {
    const [old, both, next] = [sealOf(OLD), sealOf(NEW, OLD), sealOf(NEW)];
    expect([open(both, old.seal(CHANNEL, '1')), open(both, next.seal(CHANNEL, '2'))]).toEqual(['1', '2']);
    expect([open(next, both.seal(CHANNEL, '3')), open(old, both.seal(CHANNEL, '4'))]).toEqual(['3', undefined]);
  });

  it('is signed from the second step on, where signing is switched on', () => {
    const steps = [sealOf(false, NEW), sealOf(NEW, false), sealOf(NEW)] as const;
    expect(steps[0].seal(CHANNEL, 'x')).toBe('x');
    expect(steps[0].seal(CHANNEL, Buffer.from('x'))).toEqual(Buffer.from('x'));
    expect([steps[0].publishUntil, steps[1].publishUntil]).toEqual(['', expect.any(Number)]);
    const opened = steps.map((to) => steps.map((from) => open(to, from.seal(CHANNEL, '1'))));
    expect(opened).toEqual([
      ['1', '1', '1'],
      ['1', '1', '1'],
      [undefined, '1', '1'],
    ]);
    const twice = steps[2].seal(CHANNEL, '2');
    expect(steps.map((seal) => [open(seal, twice), open(seal, twice)])).toEqual(Array(3).fill(['2', undefined]));
  });

  it('does not open with anything changed', () => {
    const random = new SeededRandom(1);
    const [sender, receiver] = [sealOf(OLD), sealOf(OLD)];
    for (let n = 0; n < 1_000; n++) {
      const sealed = sender.seal(CHANNEL, '{"type":"news"}');
      const mutation = mutationOf(sealed, random);
      if (!Buffer.from(mutation).equals(Buffer.from(sealed))) expect(open(receiver, mutation)).toBeUndefined();
    }
  });

  it('is said to be wrongly signed once a minute', async () => {
    const receiver = sealOf(OLD);
    for (let second = 0; second < 61; second++) {
      open(receiver, 'x');
      await clock.advance(1_000);
    }
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^warn .*cluster\.secret/);
  });
});
