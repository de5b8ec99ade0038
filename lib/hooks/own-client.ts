import {
  WebSocketClient,
  type WebSocketClientOptions,
  type WebSocketContract,
  type WebSocketLike,
} from '../client/index.js';

/** Whether this code runs in a page; otherwise a server renders. */
export const isPage = 'window' in globalThis;

/** Creates a client for one component. On a server it never connects, and needs neither a complete url nor sockets. */
export function ownClient<C extends WebSocketContract>(options: WebSocketClientOptions): WebSocketClient<C> {
  if (isPage) return new WebSocketClient(options);
  return new WebSocketClient({ webSocket: NoSocket, ...options, url: new URL(options.url, 'ws://server') });
}

class NoSocket implements WebSocketLike {
  declare readyState: number;
  declare onopen: WebSocketLike['onopen'];
  declare onmessage: WebSocketLike['onmessage'];
  declare onerror: WebSocketLike['onerror'];
  declare onclose: WebSocketLike['onclose'];
  declare send: WebSocketLike['send'];
  declare close: WebSocketLike['close'];
}
