/**
 * Where a client is: `connecting` on its first way to the server, `reconnecting` on any further one, the wait before it
 * included, `disconnected` before `connect()` and once nothing will happen by itself.
 */
export type ClientState = 'disconnected' | 'connecting' | 'connected' | 'reconnecting';

/** A change of the state, and why. */
export type StateChange = Arrival | Loss;

/** The client sets out, or is there. */
export interface Arrival {
  readonly state: 'connecting' | 'connected';
  readonly previous: ClientState;
  /** For people. */
  readonly reason: string;
}

/** A connection, or an attempt, is over. */
export type Loss = Retreat | Stop;

/** Another attempt follows. */
export interface Retreat {
  readonly state: 'reconnecting';
  readonly previous: ClientState;
  /** For people: the server's own words where it gave any. */
  readonly reason: string;
  /** The close code of the connection; 1006 where it broke or never stood. */
  readonly code: number;
  /** Which attempt comes next, from 1. */
  readonly attempt: number;
  /** How many milliseconds until then; Infinity: once the page is back (the option `pageLifecycle`). */
  readonly delay: number;
}

/** No other attempt follows by itself. */
export interface Stop {
  readonly state: 'disconnected';
  readonly previous: ClientState;
  /** For people: the server's own words where it gave any. */
  readonly reason: string;
  /** The close code of the connection; 1006 where it broke or never stood, 1000 where the application wanted it so. */
  readonly code: number;
}

/** How the connection is, in the words of the PXL framework. */
export interface ConnectionStatus {
  readonly isConnected: boolean;
  readonly reconnectAttempts: number;
  readonly autoReconnectEnabled: boolean;
}
