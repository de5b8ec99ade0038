import { TestClient } from '../../support/test-client.js';
import { isEqual } from '../checks.js';
import type { Guest } from '../protocol.js';
import type { Proxy } from '../proxy.js';

/** 15 KB; Node itself takes 16 KB of headers. */
export const LONG_TOKEN = 'x'.repeat(15_360);

/** A long token arrives, beside the subprotocol and as a header. */
export async function token(proxy: Proxy): Promise<string> {
  for (const options of [{ protocols: ['pxl.v1', `bearer.${LONG_TOKEN}`] }, { token: LONG_TOKEN }]) {
    const client = await TestClient.connect(proxy.url, options);
    isEqual('The token', ((await client.request('guest', 'who')) as Guest).token, LONG_TOKEN.length);
    client.socket.terminate();
  }
  return 'in';
}
