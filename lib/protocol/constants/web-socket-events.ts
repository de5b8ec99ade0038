import { schemeOf } from './scheme.js';

/** The system events of the protocol of Ignis. */
export const WebSocketEvents = schemeOf({
  /** Client to server: who it is. */
  AUTHENTICATE: 'authenticate',
  /** Server to client: accepted. */
  CONNECTED: 'connected',
  /** Client to server: closes the connection. */
  DISCONNECT: 'disconnect',
  /** Client to server: wants to join rooms. */
  JOIN: 'join',
  /** Client to server: leaves rooms. */
  LEAVE: 'leave',
  /** Server to client: a refusal. */
  ERROR: 'error',
  /** Client to server: still there. */
  HEARTBEAT: 'heartbeat',
  /** Both ways: what is in it is encrypted. */
  ENCRYPTED: 'encrypted',
});
