import { describe, expect, it } from '@jest/globals';
import { endingOfClose } from '../../lib/client/connection/ending.js';
import { ReconnectPolicy } from '../../lib/client/connection/reconnect-policy.js';
import { reactionTo, type ClientReaction } from '../../lib/protocol/close-codes.js';
import { ManualClientRuntime } from '../support/manual-client-runtime.js';
import { SeededRandom } from '../support/seeded-random.js';

const LOST = endingOfClose(1006, '');
const OPTIONS = { isEnabled: true, minDelay: 500, maxDelay: 20_000, attempts: Infinity };
const CROWD = 500;

describe('what a client does when its connection was closed', () => {
  it.each<[ClientReaction, number[]]>([
    ['stop', [1000, 1002, 1003, 1007, 1008, 1009, 1010, 1015, 3003, 4004, 4500, 4506, 4510, 4522, 4999]],
    ['retry', [1001, 1005, 1006, 1011, 1012, 1013, 1014, 3001, 3999, 4000, 4002, 4006, 4008, 4499]],
    ['retryFewTimes', [4001]],
    ['retryLater', [4009]],
    ['refreshToken', [4005]],
    ['replaceToken', [3000, 4003]],
  ])('is: %s', (reaction, codes) => {
    expect(codes.map((code) => [code, reactionTo(code)])).toEqual(codes.map((code) => [code, reaction]));
  });
});

describe('a connection that broke', () => {
  it.each([1006, 0])('is 1006 also where the runtime says %d', (code) => {
    expect(endingOfClose(code, '')).toMatchObject({ code: 1006, reaction: 'retry', error: { closeCode: 1006 } });
  });
});

/** The times at which a crowd that lost its server comes back, when that is away for so long; in ms, in order. */
function timesOfReturn(away: number, delaysOf: (random: SeededRandom) => () => number, seed: number): number[] {
  const random = new SeededRandom(seed);
  const times = Array.from({ length: CROWD }, () => {
    const nextDelay = delaysOf(random);
    let time = 0;
    do time += nextDelay();
    while (time < away);
    return time;
  });
  return times.sort((one, other) => one - other);
}

/** The length of the policy's window that a server comes back in, when it was away for so long. */
function windowAt(away: number): number {
  let [start, length] = [0, OPTIONS.minDelay];
  while (start + length <= away) [start, length] = [start + length, Math.min(OPTIONS.maxDelay, 2 * length)];
  return length;
}

/** How many times as full as it had to be the fullest tenth of that window is, from when the server is back. */
function crush(times: number[], away: number): number {
  const tenth = windowAt(away) / 10;
  const tenths = new Map<number, number>();
  for (const time of times) {
    const slot = Math.floor((time - away) / tenth);
    tenths.set(slot, (tenths.get(slot) ?? 0) + 1);
  }
  return Math.max(...tenths.values()) / (CROWD / 10);
}

function ofPolicy(random: SeededRandom): () => number {
  const clock = new ManualClientRuntime();
  clock.random = () => random.next();
  const policy = new ReconnectPolicy(OPTIONS, clock);
  return () => policy.next(LOST, false)!.delay;
}

function withoutChance(): () => number {
  const policy = new ReconnectPolicy(OPTIONS, new ManualClientRuntime());
  return () => policy.next(LOST, false)!.delay;
}

const AWAY = [100, 500, 700, 1_000, 2_000, 3_000, 5_000, 8_000, 15_000, 30_000, 60_000];

describe('a crowd of clients whose server is away', () => {
  it.each(AWAY)('for %d ms comes back evenly: no tenth of the window is twice as full as it had to be', (away) => {
    for (let seed = 1; seed <= 20; seed++) expect(crush(timesOfReturn(away, ofPolicy, seed), away)).toBeLessThan(2);
  });

  it.each(AWAY)('for %d ms would crush it without chance', (away) => {
    expect(crush(timesOfReturn(away, withoutChance, 1), away)).toBe(10);
  });

  it('is back after about as long as that, and at most one longest wait', () => {
    for (const away of AWAY) {
      const last = timesOfReturn(away, ofPolicy, 1).at(-1)!;
      expect(last - away).toBeLessThan(Math.min(2 * away + OPTIONS.minDelay, OPTIONS.maxDelay));
    }
  });
});

describe('a single client', () => {
  it('never waits longer than the bound of its attempt', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const nextDelay = ofPolicy(new SeededRandom(seed));
      for (let attempt = 0; attempt < 12; attempt++) {
        expect(nextDelay()).toBeLessThanOrEqual(Math.min(OPTIONS.maxDelay, OPTIONS.minDelay * 2 ** attempt));
      }
    }
  });
});
