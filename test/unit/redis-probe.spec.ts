import { beforeEach, describe, expect, it } from '@jest/globals';
import { RedisProbe, type ProbeHost } from '../../lib/redis/link/redis-probe.js';
import { ManualRuntime } from '../support/manual-runtime.js';

const PERIOD = 3_000;

/** A Redis that gives probes back when the test wants, and a diary of what the probe concludes. */
class Host implements ProbeHost {
  readonly diary: string[] = [];
  readonly sent: string[] = [];
  failure: Error | null = null;

  send(payload: string): Promise<void> {
    this.sent.push(payload);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve();
  }

  passed(roundTrip: number): void {
    this.diary.push(`passed in ${roundTrip}`);
  }

  unsent(why: Error): void {
    this.diary.push(`unsent: ${why.message}`);
  }

  lost(): void {
    this.diary.push('lost');
  }
}

describe('A probe', () => {
  let clock: ManualRuntime;
  let host: Host;
  let probe: RedisProbe;

  beforeEach(() => {
    clock = new ManualRuntime();
    host = new Host();
    probe = new RedisProbe(host, PERIOD, clock);
    probe.start();
  });

  it('passes when it comes back, and is sent again after a period', async () => {
    await clock.advance(7);
    probe.received(host.sent[0]!);
    expect(host.diary).toEqual(['passed in 7']);
    await clock.advance(PERIOD - 1);
    expect(host.sent).toHaveLength(1);
    await clock.advance(1);
    expect(host.sent).toHaveLength(2);
  });

  it('is lost when it is not back within a second, and the next follows sooner', async () => {
    await clock.advance(1_000);
    expect(host.diary).toEqual(['lost']);
    await clock.advance(500);
    expect(host.sent).toHaveLength(2);
  });

  it('does not pass by an earlier one that comes late', async () => {
    await clock.advance(1_500);
    probe.received(host.sent[0]!);
    expect(host.diary).toEqual(['lost']);
  });

  it('says when it could not be sent', async () => {
    host.failure = new Error('NOPERM');
    probe.received(host.sent[0]!);
    await clock.advance(PERIOD);
    expect(host.diary).toEqual(['passed in 0', 'unsent: NOPERM']);
    await clock.advance(500);
    expect(host.sent).toHaveLength(3);
  });

  it('is not lost because this process stood still', async () => {
    await clock.stall(30_000);
    probe.received(host.sent[0]!);
    expect(host.diary).toEqual(['passed in 30000']);
  });

  it('leaves no timer when it is stopped', () => {
    probe.stop();
    expect(clock.size).toBe(0);
    probe.received(host.sent[0]!);
    expect(host.diary).toEqual([]);
  });
});
