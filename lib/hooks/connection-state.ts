import type { ClientState, WebSocketClient, WebSocketContract } from '../client/index.js';

/** How the connection of a client is, and why. */
export interface ConnectionState {
  readonly state: ClientState;
  /** For people; empty before the first change. */
  readonly reason: string;
}

/** How it is before anything has happened, and on a server that renders. */
export const IDLE: ConnectionState = { state: 'disconnected', reason: '' };

/** How it is now: the same object while nothing has changed. */
export function connectionStateOf<C extends WebSocketContract>(client: WebSocketClient<C>): ConnectionState {
  return client.lastChange ?? IDLE;
}
