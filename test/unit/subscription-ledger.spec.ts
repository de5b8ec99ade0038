import { describe, expect, it } from '@jest/globals';
import { SubscriptionLedger, type SubscriptionBatch } from '../../lib/redis/subscriptions/subscription-ledger.js';
import { SeededRandom } from '../support/seeded-random.js';

const SEQUENCES = 2_000;
const STEPS = 60;
const CHANNELS = ['a', 'b', 'c', '__proto__'];

describe('A ledger of subscriptions', () => {
  it('subscribes what is wanted, in batches, and unsubscribes what nobody wants', () => {
    const ledger = new SubscriptionLedger();
    for (const channel of ['a', 'b', 'c']) ledger.want(channel);
    expect(ledger.next(2)).toEqual({ verb: 'subscribe', channels: ['a', 'b'] });
    ledger.confirm(['a', 'b']);
    expect(ledger.next(2)).toEqual({ verb: 'subscribe', channels: ['c'] });
    ledger.confirm(['c']);
    expect(ledger.next(2)).toBeNull();
    expect(ledger.release('a')).toBe(true);
    expect(ledger.isLive('a')).toBe(true);
    ledger.drop(['a', 'b']);
    expect(ledger.next(2)).toEqual({ verb: 'unsubscribe', channels: ['a'] });
    expect(['a', 'b'].map((channel) => ledger.isLive(channel))).toEqual([false, true]);
  });

  it('subscribes everything again that is wanted when some of it has ended, also what was lingering', () => {
    const ledger = new SubscriptionLedger();
    for (const channel of ['a', 'b', 'c']) ledger.want(channel);
    ledger.confirm(ledger.next(3)!.channels);
    ledger.release('b');
    ledger.release('c');
    ledger.suspect();
    expect(ledger.next(3)).toEqual({ verb: 'subscribe', channels: ['a'] });
    ledger.want('b');
    expect(ledger.isLive('b')).toBe(false);
    ledger.confirm(['a']);
    expect(ledger.next(3)).toEqual({ verb: 'subscribe', channels: ['b'] });
    ledger.confirm(['b']);
    expect(ledger.next(3)).toEqual({ verb: 'unsubscribe', channels: ['c'] });
    expect(ledger.counts).toEqual({ wanted: 2, live: 2 });
  });

  it('counts how often a channel is wanted, and bears one release too many', () => {
    const ledger = new SubscriptionLedger();
    ledger.want('a');
    ledger.want('a');
    expect([ledger.release('a'), ledger.release('a'), ledger.release('a')]).toEqual([false, true, false]);
    expect(ledger.next(1)).toBeNull();
  });

  it('subscribes again what is wanted while it is being unsubscribed', () => {
    const ledger = new SubscriptionLedger();
    ledger.want('a');
    ledger.confirm(ledger.next(1)!.channels);
    ledger.release('a');
    ledger.drop(['a']);
    expect(ledger.next(1)?.verb).toBe('unsubscribe');
    ledger.want('a');
    expect(ledger.next(1)).toEqual({ verb: 'subscribe', channels: ['a'] });
  });

  it('wants everything again on another connection', () => {
    const ledger = new SubscriptionLedger();
    for (const channel of ['a', 'b']) ledger.want(channel);
    ledger.confirm(ledger.next(9)!.channels);
    ledger.release('b');
    ledger.reset();
    expect(ledger.isLive('a')).toBe(false);
    expect(ledger.next(9)).toEqual({ verb: 'subscribe', channels: ['a'] });
    expect(ledger.next(9)).toBeNull();
  });

  it(`ends with exactly what is wanted, in ${SEQUENCES} random stories`, () => {
    for (let seed = 1; seed <= SEQUENCES; seed++) tell(new SeededRandom(seed));
  });
});

/** A story of a ledger and of a Redis that carries out its batches when it likes; ends when all has been said. */
function tell(random: SeededRandom): void {
  const ledger = new SubscriptionLedger();
  const wanted = new Map<string, number>();
  const subscribed = new Set<string>();
  let batch: SubscriptionBatch | null = null;

  const answer = (): void => {
    if (!batch) return;
    const { verb, channels } = batch;
    batch = null;
    if (verb === 'subscribe' && random.chance(0.1)) {
      ledger.retry(channels);
      return;
    }
    for (const channel of channels) subscribed[verb === 'subscribe' ? 'add' : 'delete'](channel);
    if (verb === 'subscribe') ledger.confirm(channels);
  };

  for (let step = 0; step < STEPS; step++) {
    const channel = random.pick(CHANNELS);
    const count = wanted.get(channel) ?? 0;
    const turn = random.below(10);
    if (turn < 4) {
      ledger.want(channel);
      wanted.set(channel, count + 1);
    } else if (turn < 7) {
      if (count > 0) wanted.set(channel, count - 1);
      ledger.release(channel);
    } else if (turn === 7) {
      ledger.drop([channel]);
    } else if (turn === 8) {
      answer();
    } else if (random.chance(0.1)) {
      batch = null;
      subscribed.clear();
      ledger.reset();
    }
    batch ??= ledger.next(1 + random.below(3));
    const believed = CHANNELS.find((one) => ledger.isLive(one) && !subscribed.has(one));
    if (believed !== undefined) throw new Error(`Story ${random.seed}: ${believed} is not live.`);
  }

  while (batch) {
    answer();
    ledger.drop(CHANNELS);
    batch = ledger.next(2);
  }
  ledger.drop(CHANNELS);
  for (batch = ledger.next(2); batch; batch = ledger.next(2)) answer();
  const expected = CHANNELS.filter((channel) => (wanted.get(channel) ?? 0) > 0);
  expect([random.seed, [...subscribed].sort()]).toEqual([random.seed, expected.sort()]);
  expect(CHANNELS.filter((channel) => ledger.isLive(channel)).sort()).toEqual(expected);
}
