import type { ClientTimer } from '../options/client-runtime.js';
import type { Arrival, ClientState, Loss } from './client-state.js';
import { Connection, type ConnectionListener, type ConnectionServices } from './connection.js';
import { endingBy, type Ending } from './ending.js';
import type { ReconnectPolicy } from './reconnect-policy.js';
import type { ServerFrame } from '../messages/server-frame.js';
import { onWakeUp } from './wake-ups.js';
import type { WebSocketClientError } from '../websocket-client.error.js';
import type { Welcome } from '../welcome.js';

/** Who hears of the connections that follow each other. Each call is the supervisor's last act: it may be called back. */
export interface SupervisorListener {
  connected(change: Arrival, welcome: Welcome): void;
  /** Nothing stands; the first attempt begins. */
  connecting(change: Arrival): void;
  /** A connection, an attempt, or the wait for one is over. */
  ended(change: Loss, ending: Ending): void;
  received(frame: ServerFrame): void;
}

/** Keeps a connection alive: opens it, and another one when it has ended, until it is to stop. */
export class ConnectionSupervisor implements ConnectionListener {
  readonly #services: ConnectionServices;
  readonly #listener: SupervisorListener;
  readonly #policy: ReconnectPolicy;
  #state: ClientState = 'disconnected';
  #connection: Connection | null = null;
  #wait: ClientTimer | null = null;
  /** The server has asked for the wait. */
  #isAsked = false;
  /** The promise of `connect()`, of this connection or of the next one. */
  #standing: Promise<Welcome> | null = null;
  /** Its end is that of the listening for wake-ups. */
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

  /** The connection through which a message can leave now. */
  get connection(): Connection | null {
    return this.#connection?.isOpen ? this.#connection : null;
  }

  /** Resolves with the welcome once a connection stands; rejects when the client stops before. Cuts the wait for an attempt short. */
  connect(): Promise<Welcome> {
    const standing = (this.#standing ??= new Promise((resolve, reject) => {
      this.#settle = (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
    }));
    // The state tells of a failure too: whoever does not wait for it need not catch it.
    standing.catch(() => undefined);
    if (this.#state === 'disconnected') this.#begin();
    else if (this.#wait) this.#attempt();
    return standing;
  }

  /** Stops, whatever is under way. */
  disconnect(): void {
    const ending = { ...endingBy(1000, 'The client was stopped.'), isOwn: true };
    if (this.#connection) this.#connection.end(ending);
    else if (this.#wait) this.ended(ending);
  }

  /** Stops where nothing but the next attempt is waited for. */
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

  /** The one way out of a connection, an attempt and a wait. */
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
      // The network is back, or somebody looks at the page.
      () => {
        if (this.#state === 'connected') this.#connection?.probe();
        else if (this.#wait && !this.#isAsked) this.#attempt();
      },
      // Nobody looks at the page. A wait holds no connection, and goes on with the page. Until the last moment the page may
      // say its last words; but then Chromium closes no socket that is still connecting: it opens, and stays.
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
