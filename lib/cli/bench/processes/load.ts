import { setTimeout } from 'node:timers/promises';
import { BenchClient, type Crew, type Sent } from '../clients/bench-client.js';
import type { BenchOptions } from '../options/bench-options.js';
import { Dialer } from '../clients/dialer.js';
import { Frames } from '../clients/frames.js';
import { LatencyHistogram } from '../measures/latency-histogram.js';
import type { LoadState, SentOfStream, Share } from './load-messages.js';
import { MachineClock } from './machine-clock.js';
import type { HostAddress } from '../options/own-hosts.js';
import { SendSchedule } from './send-schedule.js';
import { Stamps } from '../clients/stamp.js';
import { Streams } from '../clients/streams.js';
import { Tally } from '../measures/tally.js';

/** The time between two looks at whether something has come, ms. */
const LOOK = 50;

/** The clients of one process, and what they do. */
export class Load {
  readonly clock = new MachineClock();
  readonly tally = new Tally();
  readonly #clients: readonly BenchClient[];
  readonly #schedule: SendSchedule;
  readonly #unsent = new Map<number, Set<number>>();
  readonly #crew: Crew;
  readonly #options: BenchOptions;
  #isStopped = false;

  constructor(options: BenchOptions, run: string, address: HostAddress, { number, of }: Share) {
    const streams = new Streams(options);
    const frames = new Frames(options.protocol);
    const { send, expect } = options;
    const isUnlike = expect !== null && (expect.type !== send.type || expect.action !== send.action);
    const crew: Crew = {
      options,
      streams,
      frames,
      dialer: new Dialer(options, address),
      stamps: new Stamps(run),
      clock: this.clock,
      tally: this.tally,
      // Only where the answer to the sender has another name, its first letters tell a push.
      expectedHead: isUnlike ? frames.headOf(expect) : undefined,
      recent: new LatencyHistogram(),
      startAt: Infinity,
      gaps: 0,
    };
    const mine = (client: number): boolean => client % of === number;
    const clients = Array.from({ length: options.clients }, (_, index) => index).filter(mine);
    const byIndex = new Map(clients.map((index) => [index, new BenchClient(index, crew)]));
    const own = streams.all.filter(({ sender }) => mine(sender));
    this.#clients = [...byIndex.values()];
    this.#options = options;
    this.#crew = crew;
    this.#schedule = new SendSchedule(own, streams, options, this.clock, (stream, turn, due) => {
      if (byIndex.get(stream.sender)?.send(stream, turn, due) === true) return;
      const unsent = this.#unsent.get(stream.index);
      if (unsent) unsent.add(turn);
      else this.#unsent.set(stream.index, new Set([turn]));
    });
  }

  /** Dials one client after the other, each at its moment. */
  async connect(startAt: number): Promise<void> {
    for (const client of this.#clients) {
      const wait = startAt + (client.index * 1_000) / this.#options.ramp - this.clock.now();
      if (wait > 0) await setTimeout(wait);
      if (this.#isStopped) return;
      client.connect();
    }
  }

  /** Sends until the duration is over, or until {@link stop}. */
  async send(startAt: number): Promise<void> {
    this.#crew.startAt = startAt;
    if (!this.#isStopped) await this.#schedule.run(startAt);
  }

  stop(): void {
    this.#isStopped = true;
    this.#schedule.stop();
  }

  sent(): SentOfStream[] {
    return [...this.#schedule.turns].map(([stream, count]) => [stream, count, [...(this.#unsent.get(stream) ?? [])]]);
  }

  /** Waits until everything has come, or nothing comes any more; then counts what is missing. */
  async settle(sentOfStreams: readonly SentOfStream[]): Promise<void> {
    const sent: Sent = new Map(
      sentOfStreams.map(([stream, count, unsent]) => [stream, { count, unsent: new Set(unsent) }]),
    );
    const expected = this.#clients.reduce((sum, client) => sum + client.expects(sent), 0);
    const { counts } = this.tally;
    let [received, since] = [counts.received, this.clock.now()];
    while (counts.received < expected && this.clock.now() - since < this.#options.settle) {
      await setTimeout(Math.min(LOOK, this.#options.settle));
      if (counts.received > received) [received, since] = [counts.received, this.clock.now()];
    }
    for (const client of this.#clients) client.settle(sent);
  }

  /** Ends all connections, one after the other. */
  async leave(): Promise<void> {
    this.stop();
    const begin = this.clock.now();
    for (const [left, client] of this.#clients.entries()) {
      const share = this.#options.clients / this.#clients.length;
      const wait = begin + (left * share * 1_000) / this.#options.rampDown - this.clock.now();
      if (wait > 0) await setTimeout(wait);
      client.leave();
    }
    const end = this.clock.now() + this.#options.timeout;
    while (this.#clients.some(({ isGone }) => !isGone) && this.clock.now() < end) await setTimeout(LOOK);
  }

  state(): LoadState {
    const { counts, happenings } = this.tally;
    const { recent } = this.#crew;
    this.#crew.recent = new LatencyHistogram();
    return {
      in: this.count('isIn'),
      gone: this.count('isGone'),
      sent: counts.sent,
      received: counts.received,
      missing: this.#crew.gaps,
      losses: counts.losses,
      returns: counts.returns,
      failures: Object.values(happenings.failures).reduce((sum, times) => sum + times, 0),
      recent: recent.toJSON(),
    };
  }

  count(what: 'isIn' | 'wasIn' | 'isGone'): number {
    return this.#clients.filter((client) => client[what]).length;
  }
}
