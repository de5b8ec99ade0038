import { RawClient } from '../../support/raw-client.js';
import type { Application } from '../application.js';
import { isEqual } from '../checks.js';
import type { Proxy } from '../proxy.js';
import { reset } from '../../../lib/redis/link/abandon.js';

/** A client ends its connection without a close frame, in both ways of TCP. */
export async function breaks(proxy: Proxy, application: Application): Promise<string> {
  for (const how of ['FIN', 'RST']) {
    const client = await RawClient.upgrading(proxy.port);
    isEqual('The status', (await client.response()).status, 101);
    const { clientId } = (JSON.parse((await client.frame()).payload.toString()) as { data: { clientId: string } }).data;
    const begin = performance.now();
    if (how === 'FIN') client.end();
    else reset(client.socket);
    const { code, reason } = await application.endOf(clientId);
    const wait = performance.now() - begin;
    if (wait > 1_000) throw new Error(`The server was told after ${Math.round(wait)} ms.`);
    client.socket.destroy();
    isEqual(`The end by ${how}`, { code, reason }, { code: 1006, reason: '' });
  }
  return '1006 at once';
}
