import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { BenchReport } from '../../lib/cli/bench/report/report.js';
import { bundleOf } from './program-bundle.js';
import { until } from './until.js';

/** How a run of `nestjs-pxl-websocket bench` ended. */
export interface BenchEnd {
  code: number | null;
  out: string;
  err: string;
}

/** `nestjs-pxl-websocket bench`, as by hand: the program in a process of its own. */
export class BenchProcess {
  readonly ended: Promise<BenchEnd>;
  readonly #process: ChildProcess;
  #out = '';
  #err = '';

  constructor(...args: string[]) {
    this.#process = spawn(process.execPath, [bundleOf('lib/cli/main.ts'), 'bench', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.#process.stdout!.on('data', (chunk: Buffer) => (this.#out += chunk.toString()));
    this.#process.stderr!.on('data', (chunk: Buffer) => (this.#err += chunk.toString()));
    this.ended = this.#watch();
  }

  /** Resolves once it has said something on its error output. */
  says(text: string): Promise<void> {
    return until(`bench says ${text}`, () => this.#err.includes(text));
  }

  /** Ends it by force, if it has not ended yet; its other processes go with it. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }

  interrupt(): void {
    this.#process.kill('SIGINT');
  }

  /** Reads no more of its output. */
  hangUp(): void {
    this.#process.stdout!.destroy();
    this.#process.stderr!.destroy();
  }

  async #watch(): Promise<BenchEnd> {
    const [code] = (await once(this.#process, 'close')) as [number | null];
    return { code, out: this.#out, err: this.#err };
  }
}

export function reportIn({ out, err }: BenchEnd): BenchReport {
  if (out === '') throw new Error(`There is no report: ${err}`);
  return JSON.parse(out) as BenchReport;
}
