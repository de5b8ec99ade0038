import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ApplicationReport, ApplicationSettings, ApplicationTask, End } from './protocol.js';
import { within } from './within.js';

const PROGRAM = join(process.cwd(), '.test-programs/proxies/application.program.mjs');

/** A worker of the application behind the proxies: a process, on a port that stays the same. */
export class Application {
  /** How connections have ended, by client; also of former processes. */
  readonly ends = new Map<string, End>();
  readonly #floods = new Map<string, number>();
  #process: ChildProcess | null = null;

  constructor(private readonly port: number) {}

  /** Where clients connect without a proxy. */
  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  /** Resolves once it is ready for clients. */
  async start(settings: Omit<ApplicationSettings, 'port' | 'maxBufferedBytes'>): Promise<void> {
    const all: ApplicationSettings = { ...settings, port: this.port, maxBufferedBytes: 1_048_576 };
    const child = fork(PROGRAM, [JSON.stringify(all)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#process = child;
    child.on('message', (report) => this.#take(report as ApplicationReport));
    await within(20_000, 'the application is ready', async () => {
      const answer = await fetch(`http://127.0.0.1:${this.port}/health/ready`).catch(() => null);
      return answer?.status === 200;
    });
  }

  /** Asks it to end, as a deploy does. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Floods a client until its connection has ended; resolves with the bytes until more waited than the budget allows. */
  async flood(clientId: string): Promise<number> {
    this.#process?.send({ clientId } satisfies ApplicationTask);
    return within(60_000, 'the slow reader is closed', () => this.#floods.get(clientId));
  }

  /** How a client's connection has ended. */
  endOf(clientId: string): Promise<End> {
    return within(5_000, 'the application hears of the end', () => this.ends.get(clientId));
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  #take(report: ApplicationReport): void {
    if (report.kind === 'ended') this.ends.set(report.clientId, report);
    if (report.kind === 'flooded') this.#floods.set(report.clientId, report.bytes);
  }
}
