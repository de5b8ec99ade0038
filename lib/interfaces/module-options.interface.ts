import type { PerMessageDeflateOptions, WebSocket, WebSocketServer } from 'ws';
import type { WsAuthenticate } from '../auth/authenticator.interface.js';
import type { WsClient } from '../clients/ws-client.js';
import type { PxlWebSocketServer } from '../server/pxl-websocket-server.js';

/** The options of `PxlWebSocketModule`. A bad one fails at start-up with a sentence that names it. */
export interface PxlWebSocketModuleOptions {
  /** False: no endpoint is opened; everything stays injectable and sends do nothing. Default: true. */
  enabled?: boolean | undefined;
  /** The path of the endpoint for gateways without a path of their own, compared byte for byte. Default: `'/ws'`. */
  path?: string | undefined;
  /** Who a connection is. Without it everybody is anonymous (`client.user` is null). */
  auth?: AuthOptions | undefined;
  rooms?: RoomOptions | undefined;
  /** Finds dead connections. `false` switches it off. */
  heartbeat?: HeartbeatOptions | false | undefined;
  limits?: LimitOptions | undefined;
  inbound?: InboundOptions | undefined;
  timeouts?: TimeoutOptions | undefined;
  /** permessage-deflate (RFC 7692). Costs the fast path: each message is compressed for each client. Default: false. */
  compression?: boolean | PerMessageDeflateOptions | undefined;
  /** Callbacks for the life of the server and its connections; each runs before the gateways' own hook. */
  events?: EventOptions | undefined;
  routing?: RoutingOptions | undefined;
  upgrade?: UpgradeOptions | undefined;
  shutdown?: ShutdownOptions | undefined;
  debug?: DebugOptions | undefined;
}

export interface AuthOptions {
  /** Decides who connects, before the connection is accepted. Null or false refuses with 401. */
  authenticate?: WsAuthenticate | undefined;
}

export interface RoomOptions {
  /** False: joining a room leaves the one before, once the new one is live. Default: true. */
  clientCanJoinMultipleRooms?: boolean | undefined;
  /** True: clients may join any room by themselves (`system.joinRoom`). Default: false, only the server puts them in. */
  open?: boolean | undefined;
  /** True: the other members are told who joins and leaves (`room.memberJoined`, `room.memberLeft`). Default: false. */
  announce?: boolean | undefined;
  /** Rooms that every client is put into. Default: none. */
  defaults?: string[] | undefined;
}

export interface HeartbeatOptions {
  /** Milliseconds between two pings to a client. Default: 15 000. */
  interval?: number | undefined;
  /** Milliseconds that a client has for its pong, at most `interval`; then it is closed with 4002. Default: 10 000. */
  timeout?: number | undefined;
}

export interface LimitOptions {
  /** Bytes of the largest message that a client may send; a larger one closes with 1009. Default: 65 536. */
  maxPayload?: number | undefined;
  /** Rooms that a client can be in at once. Default: 128; `false`: no limit. */
  roomsPerClient?: number | false | undefined;
  /** Characters of a room's name. Default: 128; `false`: no limit. */
  roomName?: number | false | undefined;
  /** Milliseconds that an upgrade may take, authentication included; then 503. Default: 10 000; `false`: no limit. */
  upgradeTimeout?: number | false | undefined;
  /** Streams that a client may have open at once. Default: 32; `false`: no limit. */
  streamsPerClient?: number | false | undefined;
}

export interface InboundOptions {
  /** Messages of one client that are handled at once. Default: 1, each waits for the one before. */
  concurrency?: number | undefined;
  /** Messages of one client that may wait; then its socket is not read until half have been handled. Default: 64. */
  queue?: number | undefined;
  /** True: binary frames are read as UTF-8 text. Default: false, they are refused. */
  binary?: boolean | undefined;
}

export interface TimeoutOptions {
  /** Milliseconds that the hooks of a connection may take together; then it is closed with 1011. Default: 10 000. */
  hook?: number | undefined;
  /** Milliseconds for one handler; then its client is answered TIMEOUT. Default: false, no limit. */
  handler?: number | false | undefined;
}

export interface EventOptions {
  /** The endpoint's ws server and the facade are ready; connections are accepted next. */
  onServerStarted?(started: { webSocketServer: WebSocketServer; server: PxlWebSocketServer }): unknown;
  /** A connection was accepted and welcomed. It is closed with 1011 when this throws or rejects. */
  onConnected?(connected: {
    ws: WebSocket;
    client: WsClient;
    clientId: string;
    joinRoom: (room: { roomName: string; username?: string }) => Promise<boolean>;
  }): unknown;
  /** A connection has ended. */
  onDisconnected?(disconnected: { client: WsClient; clientId: string; code: number; reason: string }): unknown;
  /** A client sent a message: the whole of it, before its route is looked up. Its handler does not wait for this. */
  onMessage?(received: { ws: WebSocket; client: WsClient; clientId: string; data: unknown }): unknown;
  /** Something failed that nobody is waiting for: a hook, an event callback, a socket. */
  onError?(failed: { error: Error; clientId?: string }): unknown;
}

export interface RoutingOptions {
  /** False: app-wide guards (`APP_GUARD`, `useGlobalGuards`) are left out, where they are written for HTTP only. */
  globalGuards?: boolean | undefined;
}

export interface UpgradeOptions {
  /** Milliseconds after which an upgrade on a path that nobody answers gets 404. Default: 10 000; `false`: never. */
  foreignTimeout?: number | false | undefined;
}

export interface ShutdownOptions {
  /** Milliseconds for running handlers and closing handshakes when the application stops. Default: 10 000. */
  timeout?: number | undefined;
}

export interface DebugOptions {
  /** Logs every endpoint with its routes at start-up. Default: false. */
  printRoutes?: boolean | undefined;
}

/** Makes the options for `forRootAsync({ useClass | useExisting })`. */
export interface PxlWebSocketOptionsFactory {
  create(): PxlWebSocketModuleOptions | Promise<PxlWebSocketModuleOptions>;
}
