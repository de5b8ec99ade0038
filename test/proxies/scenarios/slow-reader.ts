import { TestClient } from '../../support/test-client.js';
import type { Application } from '../application.js';
import { isEqual } from '../checks.js';
import type { Proxy } from '../proxy.js';
import { Talker } from '../talker.js';

/** Milliseconds within which everybody else is answered meanwhile. */
const HURT = 1_000;

/** A client that reads nothing is closed for it, and nobody else notices. */
export async function slowReader(proxy: Proxy, application: Application): Promise<string> {
  const others = await Talker.crowd(proxy.url, 3);
  const slow = await TestClient.connect(proxy.url);
  slow.socket.pause();
  const bytes = await application.flood(slow.clientId);
  const { code, reason } = await application.endOf(slow.clientId);
  slow.socket.terminate();
  const ids = others.map(({ client }) => client.clientId ?? '');
  await Promise.all(others.map((other) => other.stop()));
  isEqual('The end', { code, reason }, { code: 4008, reason: 'too slow' });
  isEqual(
    'Unanswered',
    others.flatMap(({ unanswered }) => unanswered),
    [],
  );
  isEqual(
    'Closes',
    others.flatMap(({ closes }) => closes.filter(({ code: own }) => own !== 1000)),
    [],
  );
  for (const id of ids) isEqual('The end of another', (await application.endOf(id)).code, 1000);
  const slowest = Math.max(...others.map((other) => other.slowest));
  if (slowest > HURT) throw new Error(`Others waited for ${Math.round(slowest)} ms.`);
  return `4008 after ${(bytes / 1e6).toFixed(1)} MB`;
}
