import type { ClientState, WebSocketClient } from '../../lib/client/index.js';

/** Resolves as soon as the client is in this state, be it over a millisecond later. */
export function entered(client: WebSocketClient, state: ClientState): Promise<void> {
  return new Promise((resolve) => {
    if (client.state === state) {
      resolve();
      return;
    }
    const stop = client.onState((change) => {
      if (change.state !== state) return;
      stop();
      resolve();
    });
  });
}
