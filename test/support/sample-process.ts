import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { eventually } from '../../lib/testing/eventually.js';
import { freePort } from './free-port.js';
import { bundleOf } from './program-bundle.js';

/** ms for a start of several processes beside other tests. */
const PATIENCE = 60_000;

/** A sample, started as by hand: one of its programs in processes of its own, on a free port. */
export class SampleProcess {
  /** Resolves with its exit code, or with the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  #output = '';
  #end: number | NodeJS.Signals | null = null;

  private constructor(
    readonly port: number,
    private readonly process: ChildProcess,
  ) {
    for (const stream of [process.stdout!, process.stderr!]) {
      stream.on('data', (chunk: Buffer) => (this.#output += stripVTControlCharacters(chunk.toString())));
    }
    this.exited = this.#watch();
  }

  /**
   * @param env beside `PORT` and the test's own variables
   * @param program which of its programs
   */
  static async start(name: string, env: Record<string, string>, program = 'main'): Promise<SampleProcess> {
    return SampleProcess.run(bundleOf(`sample/${name}/src/${program}.ts`), env);
  }

  /** Starts one that was compiled elsewhere. */
  static async run(main: string, env: Record<string, string> = {}): Promise<SampleProcess> {
    const port = Number(env.PORT ?? (await freePort()));
    const child = spawn(process.execPath, [main], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', PORT: String(port), ...env },
    });
    return new SampleProcess(port, child);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What all its processes have written, without colours. */
  get output(): string {
    return this.#output;
  }

  /** Resolves once it has written something. */
  async says(text: string | RegExp): Promise<void> {
    await eventually(
      `The sample says ${text}`,
      () => {
        if (this.#end !== null) throw new Error(`The sample has ended (${this.#end}): ${this.#output}`);
        return typeof text === 'string' ? this.#output.includes(text) : text.test(this.#output);
      },
      PATIENCE,
    );
  }

  /** Resolves once its port is open, which is after Nest has said that the application has started. */
  async listens(): Promise<void> {
    await eventually(
      'The sample listens',
      async () => {
        if (this.#end !== null) throw new Error(`The sample has ended (${this.#end}): ${this.#output}`);
        return fetch(this.url, { method: 'HEAD' }).then(
          () => true,
          () => false,
        );
      },
      PATIENCE,
    );
  }

  /** Asks it to end in peace; resolves as `exited` does. */
  stop(): Promise<number | NodeJS.Signals> {
    this.process.kill('SIGTERM');
    return this.exited;
  }

  /** Ends it by force, if it has not ended yet; workers of node:cluster end when their primary is gone. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
  }

  async #watch(): Promise<number | NodeJS.Signals> {
    const [code, signal] = (await once(this.process, 'close')) as [number | null, NodeJS.Signals | null];
    return (this.#end = code ?? signal!);
  }
}
