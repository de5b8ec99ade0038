import { randomUUID } from 'node:crypto';

/** The first message to a client, for contenders that send none of their own; as long as the library's. */
export function welcome() {
  const data = { clientId: randomUUID(), protocol: 'none', heartbeat: { interval: 15_000, timeout: 10_000 } };
  return JSON.stringify({ type: 'system', action: 'connected', data });
}
