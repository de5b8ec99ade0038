import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../lib/testing/eventually.js';
import { freePort } from './free-port.js';
import { ensureRedisServer } from './global-setup.js';
import { RedisServer } from './redis-server.js';

/** A master, its replica, and the Sentinel that makes the replica the master when the first one is gone. */
export class RedisSentinel {
  private constructor(
    readonly port: number,
    readonly master: RedisServer,
    readonly replica: RedisServer,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  /** @param downAfter ms without an answer after which a master counts as gone */
  static async start(downAfter = 500): Promise<RedisSentinel> {
    const master = await RedisServer.start();
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', String(master.port));
    await eventually('the replica follows the master', async () =>
      (await replica.command<string>('INFO', 'replication')).includes('master_link_status:up'),
    );
    const folder = await mkdtemp(join(tmpdir(), 'pxl-sentinel-'));
    const settings = join(folder, 'sentinel.conf');
    const port = await freePort();
    await writeFile(
      settings,
      [
        `port ${port}`,
        `dir ${folder}`,
        `sentinel monitor main 127.0.0.1 ${master.port} 1`,
        `sentinel down-after-milliseconds main ${downAfter}`,
        'sentinel failover-timeout main 2000\n',
      ].join('\n'),
    );
    const process = spawn(ensureRedisServer(), [settings, '--sentinel'], { stdio: 'ignore' });
    const sentinel = new RedisSentinel(port, master, replica, process, folder);
    await eventually('the Sentinel knows the replica', async () =>
      (await RedisServer.ask<string>(port, 'INFO', 'sentinel')).includes('slaves=1'),
    );
    return sentinel;
  }

  /** Has the other server made the master, while the present one lives; resolves once it is. */
  async failover(): Promise<void> {
    const before = await this.#masterPort();
    await RedisServer.ask(this.port, 'SENTINEL', 'FAILOVER', 'main');
    await eventually('there is another master', async () => (await this.#masterPort()) !== before);
  }

  /** How many connections it has. */
  async connections(): Promise<number> {
    return (await RedisServer.ask<string>(this.port, 'CLIENT', 'LIST')).trim().split('\n').length;
  }

  async #masterPort(): Promise<string> {
    const [, port] = await RedisServer.ask<[string, string]>(this.port, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main');
    return port;
  }

  async stop(): Promise<void> {
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
    await Promise.all([this.master.stop(), this.replica.stop(), rm(this.folder, { recursive: true, force: true })]);
  }
}
