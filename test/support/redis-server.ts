import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { ensureRedisServer } from './global-setup.js';

/** Ports that are tried. */
const ATTEMPTS = 3;

/** A Redis of a test's own: on a free port, with a folder of its own, in a process that may be killed and frozen. */
export class RedisServer {
  #process: ChildProcess | null = null;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly settings: readonly string[],
  ) {}

  /** @param settings as on redis-server's command line: `'--maxmemory', '10mb'` */
  static async start(...settings: string[]): Promise<RedisServer> {
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'pxl-redis-')), settings);
      try {
        await server.run();
        return server;
      } catch (error) {
        // Somebody else has taken the port meanwhile.
        await server.stop();
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** One command, by a connection of its own; resolves with the answer, as soon as there is a server. */
  command<T>(name: string, ...args: (string | number)[]): Promise<T> {
    return RedisServer.ask(this.port, name, ...args);
  }

  /** Many commands at once. */
  async commands(commands: readonly [name: string, ...args: (string | number)[]][]): Promise<void> {
    await connected(this.port, (redis) => Promise.all(commands.map(([name, ...args]) => redis.call(name, ...args))));
  }

  /** One command to any server. */
  static async ask<T>(port: number, name: string, ...args: (string | number)[]): Promise<T> {
    return (await connected(port, (redis) => redis.call(name, ...args))) as T;
  }

  /** Starts it again, with what was written before; resolves once it answers. */
  async run(): Promise<void> {
    const placed = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder];
    // The system has what was written before it is answered, and keeps it when the process is killed: no disk has to.
    const lasting = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'no'];
    const child = spawn(ensureRedisServer(), [...placed, ...lasting, ...this.settings], { stdio: 'ignore' });
    this.#process = child;
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`redis-server ended (${String(code)}) before it answered on port ${this.port}.`);
    });
    const answered = this.command<string>('INFO', 'server').then((info) => {
      if (!info.includes(`process_id:${child.pid}\r`)) throw new Error(`Another Redis has port ${this.port}.`);
    });
    await Promise.race([answered, ended]);
    ended.catch(() => undefined);
  }

  /** As `kill -9` ends it. */
  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (!running?.kill('SIGKILL')) return;
    await once(running, 'exit');
  }

  /** What was written is gone; for a server that does not run. */
  async forget(): Promise<void> {
    await rm(join(this.folder, 'appendonlydir'), { recursive: true, force: true });
  }

  /** It stands still: connections are accepted by the system, and nothing is answered. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Does something with a connection of its own. */
async function connected<T>(port: number, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 10, maxRetriesPerRequest: null });
  redis.on('error', () => {});
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
