import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import type { WsTestClientOptions } from '../../../lib/testing/ws-test-client.js';
import { TestClient } from '../test-client.js';

/** How a runtime starts the program `suite-server.ts`. */
export interface SuiteRuntime {
  readonly command: string;
  /** The program is the last of them. */
  readonly args: readonly string[];
  /** Which signals end the program in peace, where Nest's own list cannot be had. */
  readonly signals?: readonly string[];
}

/** What the program is given. */
export interface SuiteSettings {
  readonly options?: PxlWebSocketModuleOptions;
  readonly isFastify?: boolean;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly secret?: string;
  readonly ownPort?: number;
}

/** How long a runtime may take to start the program, ms. */
const PATIENCE = 60_000;
/** Of a client, ms: megabytes are on their way to some. */
const CLIENT_PATIENCE = 20_000;

/** A Nest application with the library, in a process of the runtime that is looked at. */
export class SuiteProcess {
  /** Resolves with its exit code, or with the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  readonly #process: ChildProcess;
  readonly #clients: TestClient[] = [];
  readonly #isTls: boolean;
  #log = '';
  #port = 0;

  private constructor({ command, args, signals }: SuiteRuntime, settings: SuiteSettings) {
    this.#isTls = settings.tls !== undefined;
    const given = JSON.stringify({ ...settings, ...(signals && { signals }) });
    this.#process = spawn(command, [...args, given], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stderr!.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
    this.exited = once(this.#process, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  }

  /** Resolves once it listens. */
  static async start(runtime: SuiteRuntime, settings: SuiteSettings = {}): Promise<SuiteProcess> {
    const server = new SuiteProcess(runtime, settings);
    await server.#listening();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** What it has logged, each line with its level before it, and what the runtime itself has written. */
  get log(): string {
    return this.#log;
  }

  url(path = '/ws', port = this.#port): string {
    return `${this.#isTls ? 'wss' : 'ws'}://localhost:${port}${path}`;
  }

  /** A client that is connected, its welcome taken. It compresses nothing, unless it is told to. */
  async client(path?: string, options: WsTestClientOptions = {}, port?: number): Promise<TestClient> {
    return this.#kept(await TestClient.connect(this.url(path, port), { ...DEFAULTS, ...options }));
  }

  /** A client that has been accepted, and not yet welcomed. */
  async open(path: string, protocols: string[] = []): Promise<TestClient> {
    return this.#kept(await TestClient.open(this.url(path), { ...DEFAULTS, protocols }));
  }

  /** What an ordinary request is answered with. */
  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`http://localhost:${this.#port}${path}`, init);
  }

  /** Asks it to end in peace; resolves with how it ended. */
  stop(): Promise<number | NodeJS.Signals> {
    this.#process.kill('SIGTERM');
    return this.exited;
  }

  /** As a crash ends it. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.exited;
  }

  /** Ends its clients, and itself by force. */
  async close(): Promise<void> {
    for (const { socket } of this.#clients) socket.terminate();
    await this.kill();
  }

  #kept(client: TestClient): TestClient {
    this.#clients.push(client);
    return client;
  }

  async #listening(): Promise<void> {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE);
    const lines = createInterface({ input: this.#process.stdout! });
    const listening = once(lines, 'line').then(([line]) => {
      this.#port = (JSON.parse(line as string) as { port: number }).port;
    });
    const ended = this.exited.then((end) => {
      throw new Error(`The server ended (${end}) before it listened.\n${this.#log}`);
    });
    await Promise.race([listening, ended]).finally(() => clearTimeout(timer));
    ended.catch(() => undefined);
  }
}

const DEFAULTS: WsTestClientOptions = {
  perMessageDeflate: false,
  rejectUnauthorized: false,
  patience: CLIENT_PATIENCE,
};
