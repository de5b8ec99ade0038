import { schemeOf } from './scheme.js';

/** Where a connection is in its life: the values of `WsClient.state`. */
export const WebSocketClientStates = schemeOf({
  UNAUTHORIZED: 'unauthorized',
  AUTHENTICATING: 'authenticating',
  AUTHENTICATED: 'authenticated',
  DISCONNECTED: 'disconnected',
});
