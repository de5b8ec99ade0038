import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { reset } from '../../lib/redis/link/abandon.js';

let server: Server;
let client: Socket;
let peer: Socket;

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  [[peer]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown];
});

afterEach(() => {
  peer.destroy();
  server.close();
});

it.each<[what: string, before: () => unknown]>([
  ['that is open', () => {}],
  ['whose end is under way', () => client.end()],
  ['that has ended', () => once(client.end(), 'finish')],
  ['whose end waits behind much that is not read', () => client.end(Buffer.alloc(50_000_000))],
])('a connection %s is closed by a reset', async (_, before) => {
  await before();
  const closed = once(client, 'close');
  reset(client);
  await closed;
  expect(client.errored).toBeNull();
});

it('what waits in the buffers of the system is forgotten', async () => {
  peer.pause();
  client.write(Buffer.alloc(50_000_000));
  reset(client);
  let read = 0;
  peer.on('data', ({ length }: Buffer) => (read += length));
  peer.on('error', () => {});
  peer.resume();
  await once(peer, 'close');
  expect(read).toBeLessThan(1_000_000);
});

it('a connection that is not there yet is given up', async () => {
  const late = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const closed = once(late, 'close');
  reset(late);
  await closed;
});
