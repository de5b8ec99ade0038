import type { Terminal } from '../../command.js';
import { count, ms, number, rounded } from './figures.js';
import { LatencyHistogram } from '../measures/latency-histogram.js';
import type { LoadState } from '../processes/load-messages.js';
import type { Moment } from './report.js';

/** The time between two lines where one line cannot take the place of the other, ms. */
const PLAIN_PERIOD = 5_000;
const SECOND = 1_000;

type Counter = 'in' | 'gone' | 'sent' | 'received' | 'missing' | 'losses' | 'returns' | 'failures';

/** How a run goes: what the processes tell, second by second, and the line that tells it. */
export class Progress {
  readonly timeline: Moment[] = [];
  readonly #states: LoadState[] = [];
  readonly #begin = performance.now();
  #recent = new LatencyHistogram();
  #phase = '';
  readonly #timer: NodeJS.Timeout;
  #saidAt = -Infinity;
  #before = { sent: 0, received: 0 };
  #onState: () => void = () => {};

  /** @param isQuiet whether only the timeline is kept */
  constructor(
    private readonly terminal: Terminal,
    private readonly isQuiet: boolean,
  ) {
    this.#timer = setInterval(() => this.#second(), SECOND);
    this.begin('starting');
  }

  begin(phase: string): void {
    this.#phase = phase;
    this.#say(`${phase}…`, true);
  }

  take(state: LoadState, child: number): void {
    this.#states[child] = state;
    this.#recent.add(state.recent);
    this.#onState();
  }

  /** Of all processes together. */
  sum(counter: Counter): number {
    return this.#states.reduce((sum, state) => sum + state[counter], 0);
  }

  /** Resolves once as many clients are in their rooms, or have ended for good. */
  settled(clients: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onState = () => {
        if (this.sum('in') + this.sum('gone') >= clients) resolve();
      };
    });
  }

  end(): void {
    clearInterval(this.#timer);
    if (!this.isQuiet) this.terminal.status?.('');
  }

  #second(): void {
    const [sent, received, recent] = [this.sum('sent'), this.sum('received'), this.#recent];
    const moment = {
      at: Math.round((performance.now() - this.#begin) / SECOND),
      clients: this.sum('in'),
      sent: sent - this.#before.sent,
      received: received - this.#before.received,
      p50: rounded(recent.quantile(0.5)),
      p99: rounded(recent.quantile(0.99)),
      max: rounded(recent.most),
    };
    this.#recent = new LatencyHistogram();
    this.#before = { sent, received };
    this.timeline.push(moment);
    this.#say(this.#line(moment), false);
  }

  #line({ at, clients, sent, received, p50, p99 }: Moment): string {
    const parts = [`${at} s`, this.#phase, count(clients, 'client')];
    if (received > 0) parts.push(`${number(sent)} → ${number(received)}/s`, `p50 ${ms(p50)}`, `p99 ${ms(p99)}`);
    const troubles: [number, string][] = [
      [this.sum('missing'), 'missing'],
      [this.sum('failures'), 'failed'],
      [this.sum('losses'), 'lost'],
      [this.sum('returns'), 'back'],
    ];
    for (const [times, what] of troubles) if (times > 0) parts.push(`${number(times)} ${what}`);
    return parts.join(' · ');
  }

  #say(line: string, isPhase: boolean): void {
    if (this.isQuiet) return;
    const now = performance.now();
    if (this.terminal.status) this.terminal.status(line);
    else if (isPhase || now - this.#saidAt >= PLAIN_PERIOD) {
      this.terminal.err(line);
      this.#saidAt = now;
    }
  }
}
