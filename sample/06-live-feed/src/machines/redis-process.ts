import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { TIMES } from '../times.js';
import { freePort } from './free-port.js';

/** A Redis of the sample's own, which can be killed and frozen without harm to anybody else's. */
export class RedisProcess {
  state: 'running' | 'down' | 'frozen' = 'down';
  #process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
  ) {}

  static async start(): Promise<RedisProcess> {
    const redis = new RedisProcess(await freePort(), await mkdtemp(join(tmpdir(), 'live-feed-')));
    await redis.#run();
    return redis;
  }

  /** Kills it, and starts it again a moment later: with all that it had been told to keep, or with nothing. */
  async restart(keepsData: boolean): Promise<void> {
    if (this.state !== 'running') return;
    this.state = 'down';
    await this.#kill();
    if (!keepsData) await rm(join(this.folder, 'appendonlydir'), { recursive: true, force: true });
    await setTimeout(TIMES.restart);
    await this.#run();
  }

  /** It stands still: connections stay open, and nothing is answered. */
  async freeze(): Promise<void> {
    if (this.state !== 'running') return;
    this.state = 'frozen';
    this.#process?.kill('SIGSTOP');
    await setTimeout(TIMES.freeze);
    this.#process?.kill('SIGCONT');
    this.state = 'running';
  }

  async stop(): Promise<void> {
    await this.#kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    const place = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.folder];
    const lasting = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
    this.#process = spawn('redis-server', [...place, ...lasting], { stdio: 'ignore' });
    await once(this.#process, 'spawn').catch(() => {
      throw new Error('This sample starts a redis-server of its own: install one, so that it is on the PATH.');
    });
    while (!(await this.#answers())) await setTimeout(20);
    this.state = 'running';
  }

  async #kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running?.kill('SIGKILL')) await once(running, 'exit');
  }

  async #answers(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.write('PING\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return answer.toString() === '+PONG\r\n';
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
}
