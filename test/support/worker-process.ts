import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import type { WorkerContext, WorkerEvent, WorkerReport, WorkerTask } from './programs/cluster-worker.js';
import { bundleOf } from './program-bundle.js';
import { TestClient } from './test-client.js';
import type { TestUser } from './url-identity.js';

/**
 * What runs the worker: its process alone, with subscribers, or one that has it as the first of its node:cluster; or a bundle
 * of another version's.
 */
export type WorkerProgram =
  | 'cluster-worker'
  | 'cluster-host'
  | 'subscriber-worker'
  | 'matching-worker'
  | 'presence-worker'
  | { readonly bundle: string };

/** How long its clients wait, ms: on a busy machine every process waits for its turn. */
const PATIENCE = 15_000;

/** A failure as it came from a worker. */
export interface WorkerFailure extends Error {
  code?: string;
}

interface OpenTask {
  resolve(value: unknown): void;
  reject(error: WorkerFailure): void;
}

/** A worker of a cluster: a Nest application in a process of its own, which may be killed and frozen. */
export class WorkerProcess {
  /** The cluster events that it has heard. */
  readonly events: WorkerEvent[] = [];
  /** What it has logged, each with its level before it and its context behind, and when by its own clock (ms since 1970). */
  readonly log: { readonly line: string; readonly at: number }[] = [];
  /** What nobody caught there. */
  readonly uncaught: string[] = [];
  /** Resolves with its exit code, or with the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Resolves once it listens. */
  readonly started: Promise<void>;
  /** Empty before it has started. */
  workerId = '';
  /** How long its application took to start, ms by its own clock. */
  startedIn = 0;
  readonly #process: ChildProcess;
  readonly #tasks = new Map<number, OpenTask>();
  readonly #clients: TestClient[] = [];
  #port = 0;
  #lastTask = 0;
  #isExpectedToEnd = false;

  /**
   * @param options the module's, as far as they have a JSON form; clients are who their url says
   */
  constructor(options: PxlWebSocketModuleOptions, program: WorkerProgram = 'cluster-worker') {
    const bundle = typeof program === 'string' ? bundleOf(`test/support/programs/${program}.ts`) : program.bundle;
    this.#process = fork(bundle, [JSON.stringify(options)], {
      execArgv: ['--expose-gc'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.exited = this.#watch();
    this.started = new Promise((resolve, reject) => {
      this.#process.on('message', (report) => {
        this.#take(report as WorkerReport);
        if (this.#port > 0) resolve();
      });
      void this.exited.then((end) => reject(new Error(`The worker ended (${end}) before it listened.`)));
    });
    this.started.catch(() => undefined);
  }

  /**
   * Runs a function there, and resolves with what it returns, as JSON has it; rejects with its error's message and code.
   *
   * @param task sees nothing of the test but its argument: it travels as text
   */
  run<T>(task: (worker: WorkerContext) => T | Promise<T>): Promise<T>;
  run<T, A>(task: (worker: WorkerContext, argument: A) => T | Promise<T>, argument: A): Promise<T>;
  run<T>(task: (...given: never[]) => T | Promise<T>, argument?: unknown): Promise<T> {
    const id = ++this.#lastTask;
    return new Promise<unknown>((resolve, reject) => {
      this.#tasks.set(id, { resolve, reject });
      this.#process.send({ id, source: task.toString(), argument } satisfies WorkerTask, (error) => {
        if (error) reject(error);
      });
    }) as Promise<T>;
  }

  /**
   * A client that is connected to this worker, its welcome taken; without a user it is anonymous.
   *
   * @param protocols the offered subprotocols
   */
  async client(user?: TestUser, protocols: string[] = []): Promise<TestClient> {
    const client = await TestClient.connect(this.url(user), { protocols, patience: PATIENCE });
    this.#clients.push(client);
    return client;
  }

  /** Where a user's client connects. */
  url(user?: TestUser): string {
    return `ws://127.0.0.1:${this.#port}/ws?${new URLSearchParams({ ...user }).toString()}`;
  }

  /** Stands still, as a process does whose machine is overloaded or suspended. */
  freeze(): void {
    this.#process.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process.kill('SIGCONT');
  }

  /** As a crash ends it. */
  async kill(): Promise<void> {
    this.#isExpectedToEnd = true;
    this.#process.kill('SIGKILL');
    await this.exited;
  }

  /** Asks it to end in peace; resolves with the milliseconds that it took. */
  async stop(): Promise<number> {
    this.#isExpectedToEnd = true;
    const begin = performance.now();
    this.#process.kill('SIGTERM');
    await this.exited;
    return performance.now() - begin;
  }

  /** Ends it by force, with its clients. Rejects when it had left something uncaught, or had ended by itself. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.socket.terminate();
    const hasEnded = this.#process.exitCode !== null || this.#process.signalCode !== null;
    const endedByItself = hasEnded && !this.#isExpectedToEnd;
    await this.kill();
    if (endedByItself) throw new Error(`A worker ended by itself: ${await this.exited}`);
    if (this.uncaught.length > 0) throw new Error(`Uncaught in a worker: ${this.uncaught.join('; ')}`);
  }

  async #watch(): Promise<number | NodeJS.Signals> {
    const [code, signal] = (await once(this.#process, 'exit')) as [number | null, NodeJS.Signals | null];
    const error = new Error('The worker has ended.');
    for (const { reject } of this.#tasks.values()) reject(error);
    return code ?? signal!;
  }

  #take(report: WorkerReport): void {
    switch (report.kind) {
      case 'started':
        this.workerId = report.workerId;
        this.#port = report.port;
        this.startedIn = report.ms;
        break;
      case 'done':
        this.#finish(report.id)?.resolve(report.value);
        break;
      case 'failed':
        this.#finish(report.id)?.reject(Object.assign(new Error(report.message), { code: report.code }));
        break;
      case 'event':
        this.events.push(report.event);
        break;
      case 'log':
        this.log.push({ line: report.line, at: report.at });
        break;
      case 'uncaught':
        this.uncaught.push(report.error);
        break;
    }
  }

  #finish(id: number): OpenTask | undefined {
    const task = this.#tasks.get(id);
    this.#tasks.delete(id);
    return task;
  }
}
