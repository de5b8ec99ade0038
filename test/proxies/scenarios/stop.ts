import type { Application } from '../application.js';
import { isEqual, tally } from '../checks.js';
import type { Proxy } from '../proxy.js';
import { Talker } from '../talker.js';
import { within } from '../within.js';

const TALKERS = 5;

/** The proxy itself is stopped: nobody calls that a fault of the clients. */
export async function stop(proxy: Proxy, application: Application): Promise<string> {
  const talkers = await Talker.crowd(proxy.url, TALKERS);
  await proxy.stop();
  const closes = await within(5_000, 'all clients are closed', () => {
    const all = talkers.flatMap((talker) => talker.closes);
    return all.length === TALKERS && all;
  });
  const ends = await Promise.all(closes.map(({ clientId }) => application.endOf(clientId)));
  await Promise.all(talkers.map((talker) => talker.stop()));
  const code = proxy.kind.saysGoodbye ? 1001 : 1006;
  isEqual('At the clients', tally(closes.map((close) => close.code)), `${TALKERS} × ${code}`);
  isEqual('At the server', tally(ends.map((end) => end.code)), `${TALKERS} × ${code}`);
  return String(code);
}
