import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { TIMES } from '../times.js';
import { Link } from './link.js';

/** A worker in a process of its own, which is started again when it has ended. */
export class WorkerProcess {
  /** Where it takes connections; undefined while it does not. */
  port: number | undefined;
  #process: ChildProcess | undefined;
  #isOver = false;

  private constructor(
    readonly name: string,
    readonly link: Link,
  ) {}

  /** @param redis the port of Redis */
  static async start(name: string, redis: number): Promise<WorkerProcess> {
    const worker = new WorkerProcess(name, await Link.to(redis));
    worker.#run();
    return worker;
  }

  get state(): 'ready' | 'starting' | 'down' {
    if (this.port !== undefined) return 'ready';
    return this.#process ? 'starting' : 'down';
  }

  /** As a power failure ends it. */
  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  stop(): void {
    this.#isOver = true;
    this.kill();
    this.link.stop();
  }

  #run(): void {
    const env = { ...process.env, REDIS_URL: `redis://127.0.0.1:${this.link.port}` };
    const [, program = ''] = process.argv;
    const child = fork(program, ['worker'], { env });
    this.#process = child;
    child.once('message', (port) => (this.port = Number(port)));
    child.once('exit', () => void this.#again());
  }

  async #again(): Promise<void> {
    this.port = undefined;
    this.#process = undefined;
    await setTimeout(TIMES.restart);
    if (!this.#isOver) this.#run();
  }
}
