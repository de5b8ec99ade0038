import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { LOAD_CORE, pinned } from './worker.js';

/** A redis-server of its own on a free port, beside the load; and what it counts. */
export class RedisServer {
  static async start() {
    const port = await freePort();
    const [file, ...args] = pinned(LOAD_CORE, ['redis-server', '--port', port, '--save', '', '--appendonly', 'no']);
    const child = spawn(file, args.map(String), { stdio: 'ignore' });
    const failed = new Promise((_, reject) => child.once('error', reject));
    const client = new Redis({ port, lazyConnect: true, retryStrategy: () => 20 });
    client.on('error', () => {}); // until it listens
    const ready = new Promise((resolve) => client.once('ready', resolve));
    client.connect().catch(() => {}); // it is tried again
    await Promise.race([failed, ready]);
    return new RedisServer(child, client, `redis://127.0.0.1:${port}`);
  }

  constructor(child, client, url) {
    this.child = child;
    this.client = client;
    this.url = url;
  }

  /** Commands and CPU time (µs) so far, and bytes in and out; this question counts too. */
  async counts() {
    const info = await this.client.info('stats', 'cpu');
    const read = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)[1]);
    return {
      commands: read('total_commands_processed'),
      bytesIn: read('total_net_input_bytes'),
      bytesOut: read('total_net_output_bytes'),
      cpu: (read('used_cpu_user') + read('used_cpu_sys')) * 1_000_000,
    };
  }

  /** Bytes of its data. */
  async memory() {
    return Number(/^used_memory_dataset:(\d+)/m.exec(await this.client.info('memory'))[1]);
  }

  async stop() {
    this.client.disconnect();
    this.child.kill();
    await Promise.race([once(this.child, 'exit'), setTimeout(1_000)]);
  }
}

export async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
