import { TestClient } from '../../support/test-client.js';
import { isEqual, pause } from '../checks.js';
import type { Proxy } from '../proxy.js';

/** For 30 s nothing is sent but the server's pings. */
export async function idle(proxy: Proxy): Promise<string> {
  const client = await TestClient.connect(proxy.url);
  let pings = 0;
  client.socket.on('ping', () => pings++);
  await pause(31_000);
  isEqual('The answer', await client.request('guest', 'echo', 'still here'), 'still here');
  if (pings === 0) throw new Error('No ping has come.');
  client.socket.terminate();
  return 'open';
}
