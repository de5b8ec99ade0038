import { TestClient } from '../../support/test-client.js';
import { isEqual } from '../checks.js';
import type { Guest } from '../protocol.js';
import type { Proxy } from '../proxy.js';

const [TRUE, FORGED] = ['127.0.0.5', '198.51.100.7'];

/**
 * A client that writes `X-Forwarded-For` itself.
 *
 * @param isBelieved whether what it writes is taken for its address, as it is documented
 */
export async function forwarded(proxy: Proxy, isBelieved: boolean): Promise<string> {
  const headers = { 'X-Forwarded-For': FORGED };
  const client = await TestClient.connect(proxy.url, { headers, localAddress: TRUE });
  const { ip } = (await client.request('guest', 'who')) as Guest;
  client.socket.terminate();
  isEqual('The address', ip, isBelieved ? FORGED : TRUE);
  return isBelieved ? 'forged' : 'true';
}
