import { afterEach, expect } from '@jest/globals';
import { WebSocketClient, type StateChange, type WebSocketClientOptions } from '../../lib/client/index.js';
import { ClientSockets, CountingClientRuntime } from './client-sockets.js';
import type { ManualClientRuntime } from './manual-client-runtime.js';
import { asInPages } from './page-web-socket.js';
import { until } from './until.js';

/** A client under test, with everything that it told and opened. */
export interface TestedClient {
  client: WebSocketClient;
  /** `state:code` of each change, without the code where there is none. */
  states: string[];
  changes: StateChange[];
  errors: unknown[];
  sockets: ClientSockets;
}

/**
 * For specs of the client: what makes clients, which come back at once unless told otherwise. After each test they are
 * destroyed, and nothing of theirs may be left. `asInPage`: their sockets can do no more than those of a page.
 */
export function testsClients(): (
  url: string,
  options?: Partial<WebSocketClientOptions>,
  clock?: ManualClientRuntime,
  asInPage?: boolean,
) => TestedClient {
  const made: (TestedClient & { runtime: { readonly size: number } })[] = [];
  afterEach(async () => {
    for (const { client, sockets, runtime } of made.splice(0)) {
      client.destroy();
      await until('all sockets are closed', () => sockets.open.length === 0);
      expect({ timers: runtime.size, handlers: sockets.handlers }).toEqual({ timers: 0, handlers: 0 });
    }
  });
  return (url, options = {}, clock, asInPage = false) => {
    const sockets = new ClientSockets();
    const runtime = clock ?? new CountingClientRuntime();
    const errors: unknown[] = [];
    const events = { onError: ({ error }: { error: unknown }) => errors.push(error), ...options.events };
    const reconnect = { minDelay: 5, maxDelay: 50 };
    const webSocket = asInPage ? asInPages(sockets) : sockets.WebSocket;
    const client = new WebSocketClient({ url, webSocket, reconnect, ...options, events }, runtime);
    const changes: StateChange[] = [];
    const states: string[] = [];
    client.onState((change) => {
      changes.push(change);
      states.push('code' in change ? `${change.state}:${change.code}` : change.state);
    });
    const tested = { client, states, changes, errors, sockets, runtime };
    made.push(tested);
    return tested;
  };
}
