import type { ClientState, WebSocketClient, WebSocketContract } from '../client/index.js';

/** The state of a client's connection, and the reason for it. */
export interface ConnectionState {
  readonly state: ClientState;
  /** A sentence for people; empty before the first change. */
  readonly reason: string;
}

/** The state before the first change, and while a server renders. */
export const IDLE: ConnectionState = { state: 'disconnected', reason: '' };

/** The current state. It returns the same object until the state changes. */
export function connectionStateOf<C extends WebSocketContract>(client: WebSocketClient<C>): ConnectionState {
  return client.lastChange ?? IDLE;
}
