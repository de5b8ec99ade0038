import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { BenchError } from '../bench-error.js';
import type { BenchOptions } from '../options/bench-options.js';
import type { LoadCommand, LoadNews, LoadState } from './load-messages.js';
import { LOAD_PROCESS } from './load-process.js';
import { MachineClock, offsetOf } from './machine-clock.js';
import type { HostAddress } from '../options/own-hosts.js';

type NewsOf<Kind extends LoadNews['kind']> = Extract<LoadNews, { kind: Kind }>;

/** The processes that have the clients, seen from the first one, which has none: it stays awake however much they have to do. */
export class LoadProcesses {
  readonly clock = new MachineClock();
  readonly #children: readonly ChildProcess[];
  readonly #offsets: number[] = [];
  readonly #waiting = new Map<LoadNews['kind'], (news: LoadNews, child: number) => void>();
  #fail: (error: Error) => void = () => {};
  #isOver = false;
  /** Rejects when one of them ends by itself. */
  readonly failed = new Promise<never>((_, reject) => (this.#fail = reject));

  /** @param onState is told how it goes in the process of that number */
  private constructor(
    count: number,
    private readonly onState: (state: LoadState, child: number) => void,
  ) {
    const [, program = ''] = process.argv;
    this.failed.catch(() => {});
    this.#children = Array.from({ length: count }, (_, number) => {
      const child = fork(program, ['bench', LOAD_PROCESS], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      child.on('message', (news: LoadNews) => this.#take(news, number));
      child.on('error', (error) => this.#fail(error));
      child.on('exit', (code, signal) => {
        if (!this.#isOver)
          this.#fail(
            new BenchError(
              `A process with clients has ended by itself (${signal ?? code}), and nothing is known of its clients.`,
            ),
          );
      });
      return child;
    });
  }

  static async start(
    options: BenchOptions,
    run: string,
    address: HostAddress,
    onState: (state: LoadState, child: number) => void,
  ): Promise<LoadProcesses> {
    const processes = new LoadProcesses(options.processes, onState);
    const asked: number[] = [];
    const ready = processes.all('ready', ({ now }, child) => {
      processes.#offsets[child] = offsetOf(asked[child] ?? 0, now, processes.clock.now());
    });
    for (const [number, child] of processes.#children.entries()) {
      asked.push(processes.clock.now());
      child.send({
        kind: 'prepare',
        options,
        run,
        address,
        share: { number, of: options.processes },
      } satisfies LoadCommand);
    }
    await ready;
    return processes;
  }

  connect(startAt: number): void {
    for (const [number, child] of this.#children.entries()) {
      child.send({ kind: 'connect', startAt, offset: this.#offsets[number] ?? 0 } satisfies LoadCommand);
    }
  }

  tell(command: Exclude<LoadCommand, { kind: 'prepare' | 'connect' }>): void {
    for (const child of this.#children) if (child.connected) child.send(command);
  }

  /** Resolves when all of them have told this, in the order of the processes. */
  all<Kind extends LoadNews['kind']>(
    kind: Kind,
    each: (news: NewsOf<Kind>, child: number) => void = () => {},
  ): Promise<NewsOf<Kind>[]> {
    const told = new Promise<NewsOf<Kind>[]>((resolve) => {
      const all: NewsOf<Kind>[] = [];
      let count = 0;
      this.#waiting.set(kind, (news, child) => {
        if (!isOf(news, kind)) return;
        each(news, child);
        all[child] = news;
        if (++count === this.#children.length) resolve(all);
      });
    });
    return Promise.race([told, this.failed]);
  }

  /** Has their clients leave; resolves when all of them have ended. */
  async leave(): Promise<void> {
    this.#isOver = true;
    const ends = this.#children.map((child) => once(child, 'exit'));
    this.tell({ kind: 'leave' });
    await Promise.all(ends);
  }

  /** Ends those by force that have not ended. */
  kill(): void {
    this.#isOver = true;
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #take(news: LoadNews, child: number): void {
    if (news.kind === 'state') this.onState(news.state, child);
    else this.#waiting.get(news.kind)?.(news, child);
  }
}

function isOf<Kind extends LoadNews['kind']>(news: LoadNews, kind: Kind): news is NewsOf<Kind> {
  return news.kind === kind;
}
