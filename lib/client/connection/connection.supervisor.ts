import type { ClientTimer } from '../options/client-runtime.js';
import type { Arrival, ClientState, Loss } from './client-state.js';
import { Connection, type ConnectionListener, type ConnectionServices } from './connection.js';
import { endingBy, type Ending } from './ending.js';
import type { ReconnectPolicy } from './reconnect-policy.js';
import type { ServerFrame } from '../messages/server-frame.js';
import { onWakeUp } from './wake-ups.js';
import type { WebSocketClientError } from '../websocket-client.error.js';
import type { Welcome } from '../welcome.js';

/** Called about the successive connections. Each call is the last step of the supervisor's work, so it may call back. */
export interface SupervisorListener {
  connected(change: Arrival, welcome: Welcome): void;
  /** The first attempt begins. */
  connecting(change: Arrival): void;
  /** A connection, an attempt, or the wait for one has ended. */
  ended(change: Loss, ending: Ending): void;
  received(frame: ServerFrame): void;
}

/** Keeps the client connected: it opens a connection, and another one when that has ended, until it is stopped. */
export class ConnectionSupervisor implements ConnectionListener {
  readonly #services: ConnectionServices;
  readonly #listener: SupervisorListener;
  readonly #policy: ReconnectPolicy;
  #state: ClientState = 'disconnected';
  #connection: Connection | null = null;
  #wait: ClientTimer | null = null;
  /** Whether the server asked for the present wait. */
  #isAsked = false;
  /** The promise that `connect()` returns, for this connection or the next one. */
  #standing: Promise<Welcome> | null = null;
  /** Aborted to stop listening for wake-ups. */
  #awake = new AbortController();
  #settle: (outcome: Welcome | WebSocketClientError) => void = () => undefined;

  constructor(services: ConnectionServices, policy: ReconnectPolicy, listener: SupervisorListener) {
    this.#services = services;
    this.#policy = policy;
    this.#listener = listener;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The connection, if a message can be sent through it now. */
  get connection(): Connection | null {
    return this.#connection?.isOpen ? this.#connection : null;
  }

  /** Resolves with the welcome of a connection; rejects when the client stops before. Ends the wait for the next attempt. */
  connect(): Promise<Welcome> {
    const standing = (this.#standing ??= new Promise((resolve, reject) => {
      this.#settle = (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
    }));
    // A failure shows in the state too, so the promise may be left unawaited.
    standing.catch(() => undefined);
    if (this.#state === 'disconnected') this.#begin();
    else if (this.#wait) this.#attempt();
    return standing;
  }

  /** Stops in any state. */
  disconnect(): void {
    const ending = { ...endingBy(1000, 'The client was stopped.'), isOwn: true };
    if (this.#connection) this.#connection.end(ending);
    else if (this.#wait) this.ended(ending);
  }

  /** Stops when the client only waits for its next attempt. */
  stopWaiting(): void {
    if (this.#wait) this.disconnect();
  }

  welcomed(welcome: Welcome): void {
    this.#policy.connected();
    this.#settle(welcome);
    this.#standing ??= Promise.resolve(welcome);
    const previous = this.#state;
    this.#state = 'connected';
    this.#listener.connected({ state: 'connected', previous, reason: 'The server answered.' }, welcome);
  }

  received(frame: ServerFrame): void {
    this.#listener.received(frame);
  }

  /** Handles the end of a connection, an attempt or a wait; nothing else does. */
  ended(ending: Ending): void {
    this.#connection = null;
    const { runtime, tokens } = this.#services;
    const next = this.#policy.next(ending, tokens.areRenewable);
    const loss = { previous: this.#state, reason: ending.error.message, code: ending.code };
    this.#cancelWait();
    if (next) {
      const { delay, isAsked } = next;
      if (this.#state === 'connected') this.#standing = null;
      this.#state = 'reconnecting';
      this.#wait = runtime.timeout(delay, () => this.#attempt());
      this.#isAsked = isAsked;
      this.#listener.ended({ ...loss, state: 'reconnecting', attempt: this.#policy.attempts || 1, delay }, ending);
    } else {
      this.#state = 'disconnected';
      this.#awake.abort();
      tokens.end(ending);
      this.#settle(ending.error);
      this.#standing = null;
      this.#listener.ended({ ...loss, state: 'disconnected' }, ending);
    }
  }

  #begin(): void {
    this.#policy.reset();
    this.#awake = new AbortController();
    onWakeUp(
      // The network is back, or the page is visible again.
      () => {
        if (this.#state === 'connected') this.#connection?.probe();
        else if (this.#wait && !this.#isAsked) this.#attempt();
      },
      // The page is being left or frozen. A wait holds no connection, and goes on when the page does. An open connection stays
      // until `freeze`, so that the page can send its last messages; a dial is given up at once, since Chromium does not close
      // a socket that is still connecting during `freeze`. It does so after this event, mostly before `freeze`.
      (isAgain) => {
        if (this.#services.options.pageLifecycle === false || (isAgain && this.connection)) return;
        this.#connection?.end({ ...endingBy(1001, 'The page was hidden.'), after: Infinity, isOwn: true });
      },
      this.#awake,
    );
    this.#state = 'connecting';
    const connection = (this.#connection = new Connection(this.#services, this));
    this.#listener.connecting({ state: 'connecting', previous: 'disconnected', reason: 'connect() was called.' });
    connection.open();
  }

  #attempt(): void {
    this.#cancelWait();
    this.#connection = new Connection(this.#services, this);
    this.#connection.open();
  }

  #cancelWait(): void {
    this.#wait?.cancel();
    this.#wait = null;
  }
}
