import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { after } from 'node:test';

/** A Redis of a spec's own, until its tests are over. */
export async function startRedis(): Promise<{ host: string; port: number; url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const process = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '']);
  const closed = once(process, 'close');
  const stop = async (): Promise<void> => {
    process.kill('SIGKILL');
    await closed;
  };
  after(stop);
  for await (const chunk of process.stdout) if (String(chunk).includes('Ready to accept')) break;
  return { host: '127.0.0.1', port, url: `redis://127.0.0.1:${port}`, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
