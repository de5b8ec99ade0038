import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { bundleOf } from './program-bundle.js';

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it wrote to its error output. */
  errors: string;
}

/** A TypeScript program of `test/support/programs`, in a process of its own. It tells about itself by lines of JSON. */
export class ChildProgram {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly exited: Promise<Exit>;

  constructor(name: string, ...args: string[]) {
    const program = bundleOf(`test/support/programs/${name}.ts`);
    this.#process = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Node 20 has a WebSocket of its own only with this flag.
      env: { ...process.env, NODE_OPTIONS: '--experimental-websocket' },
    });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
    this.exited = this.#watch();
  }

  /** The next line that the program wrote. */
  async next<T>(): Promise<T> {
    const line = await this.#lines.next();
    if (!line.done) return JSON.parse(line.value) as T;
    const { code, signal, errors } = await this.exited;
    throw new Error(`The program ended (${code ?? signal}) before it wrote: ${errors}`);
  }

  /** Sends a signal to the process, and to no other. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async #watch(): Promise<Exit> {
    let errors = '';
    this.#process.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const [code, signal] = (await once(this.#process, 'close')) as [number | null, NodeJS.Signals | null];
    return { code, signal, errors };
  }
}
