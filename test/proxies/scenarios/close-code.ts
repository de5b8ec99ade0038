import { TestClient } from '../../support/test-client.js';
import { isEqual } from '../checks.js';
import { FAREWELL } from '../protocol.js';
import type { Proxy } from '../proxy.js';

/** What the application closes a connection with arrives. */
export async function closeCode(proxy: Proxy): Promise<string> {
  const client = await TestClient.connect(proxy.url);
  client.send({ type: 'guest', action: 'leave' });
  isEqual('The close', await client.closed, FAREWELL);
  return 'arrives';
}
