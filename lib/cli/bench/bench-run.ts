import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Terminal } from '../command.js';
import type { BenchOptions } from './options/bench-options.js';
import { LoadProcesses } from './processes/load-processes.js';
import { MachineLoad } from './measures/machine-load.js';
import type { HostAddress } from './options/own-hosts.js';
import { Progress } from './report/progress.js';
import { reportOf, type BenchReport } from './report/report.js';
import { Tally } from './measures/tally.js';

/** From the decision that something begins until it does: all processes have heard of it by then, ms. */
const NOTICE = 100;

/** Programs that start this one (`timeout`, npm) pass on the signal that a terminal gives it too: nobody means it twice so soon, ms. */
const ECHO = 300;

/** One run: its clients connect, talk, wait for what is missing, and leave. */
export class BenchRun {
  readonly #progress: Progress;
  readonly #stopped: Promise<void>;
  #stop: () => void = () => {};
  #isStopped = false;
  #interruptedAt = -Infinity;
  #hurry: (() => void) | undefined;
  #processes: LoadProcesses | undefined;

  constructor(
    private readonly options: BenchOptions,
    private readonly address: HostAddress,
    terminal: Terminal,
  ) {
    this.#progress = new Progress(terminal, options.isQuiet);
    this.#stopped = new Promise((resolve) => (this.#stop = resolve));
  }

  /** Goes to its end, with a report of what was measured; a second time at once, and without one where it is not known yet. */
  interrupt(): void {
    const before = this.#interruptedAt;
    this.#interruptedAt = performance.now();
    if (this.#interruptedAt - before < ECHO) return;
    if (this.#hurry) {
      this.#hurry();
      return;
    }
    if (this.#isStopped) {
      this.#processes?.kill();
      process.exit(130);
    }
    this.#isStopped = true;
    this.#stop();
    this.#processes?.tell({ kind: 'stop' });
  }

  async run(warnings: readonly string[]): Promise<BenchReport> {
    const progress = this.#progress;
    try {
      const run = randomBytes(4).toString('hex');
      this.#processes = await LoadProcesses.start(this.options, run, this.address, (state, child) =>
        progress.take(state, child),
      );
      return await this.#phases(this.#processes, warnings);
    } finally {
      progress.end();
      this.#processes?.kill();
    }
  }

  async #phases(processes: LoadProcesses, warnings: readonly string[]): Promise<BenchReport> {
    const { options } = this;
    const { clients, ramp, timeout } = options;
    const progress = this.#progress;
    const startedAt = new Date();

    progress.begin('connecting');
    const settled = progress.settled(clients);
    processes.connect(processes.clock.now());
    if (this.#isStopped) processes.tell({ kind: 'stop' });
    // Who has not got in by then is left behind, and tries on.
    const patience = (clients * 1_000) / ramp + timeout;
    await within(patience, [settled, processes.failed, this.#stopped]);

    const sent = processes.all('sent');
    if (!this.#isStopped) progress.begin('sending');
    const machine = new MachineLoad();
    const begin = processes.clock.now() + NOTICE;
    processes.tell({ kind: 'send', startAt: begin });
    const sentOfAll = (await sent).flatMap((news) => news.sent);
    const seconds = this.#isStopped ? Math.max(0, processes.clock.now() - begin) / 1_000 : options.duration / 1_000;
    const machineBusy = sentOfAll.length > 0 ? machine.busy() : null;

    const counted = processes.all('settled');
    processes.tell({ kind: 'settle', sent: sentOfAll });
    const results = await counted;

    progress.begin('leaving');
    const hurried = new Promise<void>((resolve) => (this.#hurry = resolve));
    await within((clients * 1_000) / options.rampDown + timeout, [processes.leave(), hurried]);

    const tally = new Tally();
    for (const result of results) tally.add(result.tally);
    return reportOf({
      options,
      startedAt,
      seconds,
      tally,
      in: results.reduce((sum, result) => sum + result.in, 0),
      wereIn: results.reduce((sum, result) => sum + result.wereIn, 0),
      processes: results.map(({ busyness }) => busyness),
      machineBusy,
      timeline: progress.timeline,
      warnings,
      isInterrupted: this.#isStopped,
    });
  }
}

/** Waits for one of these events, at most for a time in ms. */
async function within(patience: number, events: readonly Promise<unknown>[]): Promise<void> {
  const over = new AbortController();
  const wait = setTimeout(Math.min(patience, 2 ** 31 - 1), undefined, { signal: over.signal }).catch(() => {});
  try {
    await Promise.race([...events, wait]);
  } finally {
    over.abort();
  }
}
