import type { WsRoomLeftReason } from '../../protocol/presence.js';
import type { ClientEncryption } from '../client-encryption.interface.js';
import type { WebSocketConstructor } from '../connection/socket.interface.js';
import type { RoomPosition, RoomRecovery } from '../room-recovery.interface.js';
import type { WebSocketClientError } from '../websocket-client.error.js';

/** The options of {@link WebSocketClient}. A bad option throws `BAD_OPTION` with its name. */
export interface WebSocketClientOptions {
  /** The server's address: `ws:`, `wss:`, `http:` or `https:`; in a page also a relative one, for example `/ws`. */
  url: string | URL;
  /** The server's envelope: `{ type, action, data }` or `{ event, data }`. Default: `'pxl'`. */
  protocol?: 'pxl' | 'event' | undefined;
  /**
   * `'other'`: a server that speaks the envelope and is not of this library, for example of the PXL framework (`'pxl'`) or of
   * Ignis (`'event'`). The client offers no subprotocol, does not wait for a welcome that such a server does not send, and
   * sends the token as `?token=` or in `authenticate`. Default: a server of this library.
   */
  server?: 'other' | undefined;
  /** The WebSocket class. Default: the global `WebSocket`. Node 20 has none: give that of `ws` there. */
  webSocket?: WebSocketConstructor | undefined;
  /**
   * Returns the token; null means no token. It is called at the first `connect()` and at the first one after `disconnect()`,
   * when a token was refused or has expired, when an attempt has failed, and before a token expires. When it throws,
   * `events.onError` is called, and the client tries again later; with a `WebSocketClientError` that is not retryable the client
   * stops instead. Default: no token.
   */
  getToken?: (() => Promise<string | null | undefined> | string | null | undefined) | undefined;
  /**
   * How the token is sent: with the subprotocol, as `?token=`, or by message on the open connection. Default: `'protocol'`. Not
   * together with `server`.
   */
  tokenTo?: 'protocol' | 'query' | 'message' | undefined;
  /**
   * How long `getToken` is called again, with growing waits, while it returns the refused token, the one that is about to expire,
   * or null in its place, in ms. After that the client stops with `UNAUTHENTICATED`, and a refresh rejects with it. Default:
   * 30 000.
   */
  tokenPatience?: number | undefined;
  /**
   * The time for fetching the token and opening the socket, and again for the welcome, in ms. Browsers may delay opening a
   * socket without telling: there, and with other sockets that cannot be cut, opening has a minute more. While the client waits
   * for another token than a refused one, `tokenPatience` is added. Default: 15 000.
   */
  connectTimeout?: number | undefined;
  /** Whether and when the client reconnects after it has lost its connection. Default: always. */
  reconnect?: ReconnectOptions | false | undefined;
  /** The time until a request without an answer rejects with `TIMEOUT`, in ms; `false`: never. Default: 10 000. */
  requestTimeout?: number | false | undefined;
  /** How messages wait while there is no connection; `false`: they are refused. */
  queue?: QueueOptions | false | undefined;
  /** How a dead connection is detected; `false`: not at all. Default: what the server's welcome says. */
  heartbeat?: ClientHeartbeatOptions | false | undefined;
  /**
   * In a page: closes the connection while the browser keeps the page in its back/forward cache or has frozen it, and reconnects
   * when the page is shown again. Meanwhile the state is `reconnecting`. `false`: the page keeps its connection. Default: true.
   */
  pageLifecycle?: boolean | undefined;
  /**
   * Where the client stands in rooms with history: what `client.positions` of an earlier one was, for example before a reload of
   * the page. Its joins go on from there. Default: nowhere. Not together with `server`.
   */
  positions?: Readonly<Record<string, RoomPosition>> | undefined;
  events?: ClientEvents | undefined;
  /** Encrypts frames in addition to TLS; the client leaves a server that does not. Default: none. Not together with `server`. */
  encryption?: ClientEncryption | undefined;
}

/** When a client reconnects. */
export interface ReconnectOptions {
  /** The longest first wait, in ms; each further one is at most twice as long as the one before. Default: 500. */
  minDelay?: number | undefined;
  /** The longest wait, in ms. Default: 20 000. */
  maxDelay?: number | undefined;
  /** How many attempts in succession may fail before the client gives up. Default: Infinity. */
  attempts?: number | undefined;
}

/** How messages and requests wait while there is no connection. */
export interface QueueOptions {
  /** How many messages and requests may wait. Default: 100. */
  limit?: number | undefined;
  /** Which one is dropped when the queue is full: the oldest or the new one. Default: `'dropOldest'`. */
  policy?: 'dropOldest' | 'dropNewest' | undefined;
}

/** When a silent connection counts as dead. */
export interface ClientHeartbeatOptions {
  /**
   * How long a silence lasts until the client asks the server for a sign of life, in ms. Default: the welcome's, else 15 000.
   * With `server: 'other'` and `'event'`: the time between two heartbeats of the client. Default: 30 000.
   */
  interval?: number | undefined;
  /** How long the answer may take, in ms. Default: the welcome's, else 10 000. */
  timeout?: number | undefined;
}

/** How long a request waits for the server. */
export interface RequestOptions {
  /** The time until it rejects with `TIMEOUT`, in ms; `false`, 0 or Infinity: never. Default: the option `requestTimeout`. */
  timeout?: number | false | undefined;
  /** Cancels it: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** A dropped message and the reason. */
export interface DroppedMessage {
  /** `{ type, action, data }`, or the argument of `sendMessage`. */
  readonly message: unknown;
  /**
   * `overflow`: the queue was full; `offline`: there is no queue; `disconnected`: the client has stopped; `tooLarge`: the server's
   * welcome, which came later, does not allow so large a message.
   */
  readonly reason: 'overflow' | 'offline' | 'disconnected' | 'tooLarge';
}

/** Callbacks for the life of the connection. What one throws goes to `onError`, and disturbs nothing else. */
export type ClientEvents = {
  [Name in keyof ClientEventMap]?: ((event: ClientEventMap[Name]) => unknown) | undefined;
};

/** The arguments of {@link ClientEvents}. */
export interface ClientEventMap {
  /** Called for each established connection. The id is empty when the server tells none, for example that of PXL. */
  onConnected: { clientId: string; joinRoom: (roomName: string) => Promise<unknown> };
  /** An established connection has ended. */
  onDisconnected: { clientId: string; code: number; reason: string };
  /** Called for each push of the server, with the frame as the server wrote it. */
  onMessage: { data: unknown };
  /**
   * Called with errors that no promise reports: refusals of messages without an answer, malformed frames, failures of `getToken`,
   * and what handlers throw. Without this callback only the last ones are reported, as uncaught errors.
   */
  onError: { error: unknown };
  /** The next attempt will be made in `delay` ms; Infinity: when the page is shown again. */
  onReconnecting: { attempt: number; delay: number };
  /** A connection is established again after a loss. */
  onReconnected: { clientId: string };
  /** The client has stopped, with the reason. */
  onReconnectFailed: { error: WebSocketClientError };
  /** A message was dropped while there was no connection. (A request rejects instead.) */
  onDropped: DroppedMessage;
  /** The server did not let the client into this room again after a reconnect. */
  onRoomRefused: { roomName: string; error: unknown };
  /**
   * The client has come back to a room with history, or the server has lost messages of it. With `recovered: false` load the
   * room's state anew; for the reason `epoch` this is called within 2 s, since every client of the room has to. The client's
   * `positions` move on when a promise that is returned has settled.
   */
  onRecovered: RoomRecovery;
  /**
   * The server has taken the client out of this room: the application has (`removed`), the room's rules (`rule`), or another room
   * that has taken its place (`replaced`). The client does not join it again by itself.
   */
  onRoomLeft: { roomName: string; reason: WsRoomLeftReason };
}
