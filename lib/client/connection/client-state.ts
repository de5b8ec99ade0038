/**
 * The state of a client: `connecting` during its first attempt, `reconnecting` during any further attempt and the wait before
 * it, `disconnected` before `connect()` and when the client makes no further attempt.
 */
export type ClientState = 'disconnected' | 'connecting' | 'connected' | 'reconnecting';

/** A change of the state, and its reason. */
export type StateChange = Arrival | Loss;

/** The client begins its first attempt, or is connected. */
export interface Arrival {
  readonly state: 'connecting' | 'connected';
  readonly previous: ClientState;
  /** A sentence for people. */
  readonly reason: string;
}

/** A connection or an attempt has ended. */
export type Loss = Retreat | Stop;

/** A loss after which the client tries again. */
export interface Retreat {
  readonly state: 'reconnecting';
  readonly previous: ClientState;
  /** For people: the server's own words where it gave any. */
  readonly reason: string;
  /** The close code of the connection; 1006 where it broke or never stood. */
  readonly code: number;
  /** The number of the next attempt, from 1. */
  readonly attempt: number;
  /** The wait until then in ms; Infinity: until the page is shown again (the option `pageLifecycle`). */
  readonly delay: number;
}

/** A loss after which the client makes no further attempt. */
export interface Stop {
  readonly state: 'disconnected';
  readonly previous: ClientState;
  /** For people: the server's own words where it gave any. */
  readonly reason: string;
  /** The close code; 1006 when the connection broke or was never established, 1000 when the application ended it. */
  readonly code: number;
}

/** The state of the connection in the words of the PXL framework. */
export interface ConnectionStatus {
  readonly isConnected: boolean;
  readonly reconnectAttempts: number;
  readonly autoReconnectEnabled: boolean;
}
