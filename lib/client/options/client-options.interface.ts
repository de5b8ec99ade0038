import type { ClientEncryption } from '../client-encryption.interface.js';
import type { WebSocketConstructor } from '../connection/socket.interface.js';
import type { WebSocketClientError } from '../websocket-client.error.js';

/** The options of {@link WebSocketClient}. A bad one throws `BAD_OPTION` with a sentence that names it. */
export interface WebSocketClientOptions {
  /** Where the server is: `ws:`, `wss:`, `http:` or `https:`; in a page also relative to it, as `/ws`. */
  url: string | URL;
  /** The server's envelope: `{ type, action, data }` or `{ event, data }`. Default: `'pxl'`. */
  protocol?: 'pxl' | 'event' | undefined;
  /**
   * `'other'`: the server speaks the envelope and knows nothing of this library, as one of the PXL framework (`'pxl'`) or
   * of Ignis (`'event'`). No subprotocol is offered, nothing is awaited that such a server does not say, and the token goes
   * as `?token=`, or in `authenticate`. Default: a server of this library.
   */
  server?: 'other' | undefined;
  /** The class of the sockets. Default: the global `WebSocket`; Node 20 has none, there it is that of `ws`. */
  webSocket?: WebSocketConstructor | undefined;
  /**
   * Gives the token. Asked after each `connect()` that follows the start or a `disconnect()`, when a token was refused or has
   * expired, when an attempt has failed, and before a token expires; null is no token. When it throws, `events.onError` hears
   * of it, and the client tries again later, unless it throws a `WebSocketClientError` that is not retryable: the client stops
   * with that one. Default: no token.
   */
  getToken?: (() => Promise<string | null | undefined> | string | null | undefined) | undefined;
  /**
   * How the token travels: beside the subprotocol, as `?token=`, or by message once the connection stands. Default:
   * `'protocol'`. Not beside `server`.
   */
  tokenTo?: 'protocol' | 'query' | 'message' | undefined;
  /**
   * Milliseconds for which `getToken` is asked again, with growing waits, while it gives the token that the server has refused,
   * the one that is about to expire, or none in its place. After that the client stops with `UNAUTHENTICATED`; a refresh
   * rejects with it. Default: 30 000.
   */
  tokenPatience?: number | undefined;
  /**
   * Milliseconds until the token is fetched and the socket open, and, once it is, until the welcome is read. Browsers hold dials
   * back without telling: there, and with other sockets that cannot be cut, the dial itself has a minute more. While another token than a refused one is waited for, `tokenPatience` is added. Default: 15 000.
   */
  connectTimeout?: number | undefined;
  /** Whether and when the client comes back after it lost its connection. Default: always. */
  reconnect?: ReconnectOptions | false | undefined;
  /** Milliseconds until a request without an answer rejects with `TIMEOUT`; `false`: never. Default: 10 000. */
  requestTimeout?: number | false | undefined;
  /** What waits while there is no connection; `false`: nothing, it is refused. */
  queue?: QueueOptions | false | undefined;
  /** Finds a server that has fallen silent; `false` does not. Default: what the server's welcome says. */
  heartbeat?: ClientHeartbeatOptions | false | undefined;
  /**
   * In a page: lets go of the connection while the browser keeps the page for the way back, or has frozen it, and connects
   * again when the page is back. Meanwhile the state is `reconnecting`. `false`: the page keeps its connection. Default: true.
   */
  pageLifecycle?: boolean | undefined;
  events?: ClientEvents | undefined;
  /** Encrypts the frames beside TLS; a server that does not is left. Default: none. Not beside `server`. */
  encryption?: ClientEncryption | undefined;
}

/** When a client comes back. */
export interface ReconnectOptions {
  /** The longest first wait in ms; each further one is at most twice as long as the one before. Default: 500. */
  minDelay?: number | undefined;
  /** The longest wait in ms. Default: 20 000. */
  maxDelay?: number | undefined;
  /** Attempts in a row before the client gives up. Default: Infinity. */
  attempts?: number | undefined;
}

/** What waits while there is no connection. */
export interface QueueOptions {
  /** Messages and requests that wait at most. Default: 100. */
  limit?: number | undefined;
  /** Which one goes when one too many comes: the oldest, or the new one. Default: `'dropOldest'`. */
  policy?: 'dropOldest' | 'dropNewest' | undefined;
}

/** When a silent server is given up. */
export interface ClientHeartbeatOptions {
  /**
   * Milliseconds of silence until the server is asked for a sign of life. Default: the welcome's, else 15 000. With
   * `server: 'other'` and `'event'`: between two heartbeats of the client. Default: 30 000.
   */
  interval?: number | undefined;
  /** Milliseconds until one must have come. Default: the welcome's, else 10 000. */
  timeout?: number | undefined;
}

/** How long something waits for the server. */
export interface RequestOptions {
  /** Milliseconds until it rejects with `TIMEOUT`; `false`, 0 or Infinity: never. Default: the option `requestTimeout`. */
  timeout?: number | false | undefined;
  /** Gives it up: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** A message that was dropped, and why. */
export interface DroppedMessage {
  /** `{ type, action, data }`, or what was given to `sendMessage`. */
  readonly message: unknown;
  /**
   * `overflow`: the queue was full; `offline`: there was no queue; `disconnected`: the client has stopped; `tooLarge`: it
   * has waited for a server that turned out not to take so large a message.
   */
  readonly reason: 'overflow' | 'offline' | 'disconnected' | 'tooLarge';
}

/** Callbacks for the life of the connection. One that throws disturbs nothing and is reported to `onError`. */
export type ClientEvents = {
  [Name in keyof ClientEventMap]?: ((event: ClientEventMap[Name]) => unknown) | undefined;
};

/** What each of {@link ClientEvents} is called with. */
export interface ClientEventMap {
  /** A connection stands, each time. The id is empty where the server tells none, as one of the PXL framework. */
  onConnected: { clientId: string; joinRoom: (roomName: string) => Promise<unknown> };
  /** A connection that stood is over. */
  onDisconnected: { clientId: string; code: number; reason: string };
  /** Everything that the server said unasked, as it wrote it. */
  onMessage: { data: unknown };
  /**
   * What has no other place to go: the server's refusals of messages that asked for no answer, frames that are none,
   * tokens that could not be had, handlers that threw. Without it, only the last ones are reported, as uncaught.
   */
  onError: { error: unknown };
  /** The next attempt is planned, in `delay` ms; Infinity: once the page is back. */
  onReconnecting: { attempt: number; delay: number };
  /** A connection stands again, after one that was lost. */
  onReconnected: { clientId: string };
  /** The client has given up, and says why. */
  onReconnectFailed: { error: WebSocketClientError };
  /** A message that could not wait for the connection is gone. (A request rejects instead.) */
  onDropped: DroppedMessage;
  /** The client was in this room, and was not let in again after a reconnect. */
  onRoomRefused: { roomName: string; error: unknown };
}
