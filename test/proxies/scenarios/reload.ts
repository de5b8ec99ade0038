import { TestClient } from '../../support/test-client.js';
import type { Application } from '../application.js';
import { isEqual, pause, seconds, tally } from '../checks.js';
import { Dialer } from '../dialer.js';
import type { Proxy } from '../proxy.js';
import { Talker } from '../talker.js';

const TALKERS = 10;
/** Milliseconds that they talk before the proxy is loaded anew, and after it. */
const [BEFORE, AFTER] = [500, 3_000];

/**
 * Open sockets talk on while the proxy is loaded anew, and new ones come in. Where it cuts them, it is as documented: 1001, at
 * the client and at the server, and the clients keep their places in rooms with presence.
 */
export async function reload(proxy: Proxy, application: Application): Promise<string> {
  const roomName = `reload ${proxy.name}`;
  const watcher = await TestClient.connect(application.url);
  await watcher.request('system', 'joinRoom', { roomName, presence: true });
  const talkers = await Talker.crowd(proxy.url, TALKERS, async ({ client }) => {
    await client.join(roomName);
  });
  const dialer = new Dialer(proxy.url);
  await pause(BEFORE);
  await proxy.reload();
  await pause(AFTER);
  const closes = talkers.flatMap((talker) => talker.closes);
  const waits = talkers.flatMap((talker) => talker.waits);
  const left = watcher.pending.filter(({ data }) => (data as { left?: unknown[] }).left !== undefined);
  watcher.socket.terminate();
  await Promise.all(talkers.map((talker) => talker.untilAnswered(1_000)));
  await Promise.all([...talkers, dialer].map((one) => one.stop()));
  const unanswered = talkers.flatMap((talker) => talker.unanswered);
  // One may be open just when it cuts.
  const failures = dialer.failures.filter(
    (failure) => proxy.kind.keepsSockets || !failure.includes('closed with 1001'),
  );
  isEqual('New connections that failed', failures, []);
  if (proxy.kind.keepsSockets) {
    isEqual('Closes', tally(closes.map(({ code }) => code)), '');
    isEqual('Unanswered', unanswered, []);
    return 'all talk on';
  }
  isEqual('Closes', tally(closes.map(({ code }) => code)), `${TALKERS} × 1001`);
  for (const { clientId } of closes) {
    const { code, reason } = await application.endOf(clientId);
    // The client's own answer to the proxy's frame may overtake the one for the server.
    isEqual('The end, at the server', { code, reason }, { code: 1001, reason: reason && 'closed by a proxy' });
  }
  isEqual('Members that have left', left, []);
  if (unanswered.length > TALKERS) throw new Error(`Unanswered: ${tally(unanswered)}`);
  return `1001, back in ${seconds(Math.max(...waits))}`;
}
