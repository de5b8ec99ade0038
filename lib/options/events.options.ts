import type { WebSocket, WebSocketServer } from 'ws';
import type { WsLogFields } from '../errors/log-fields.js';
import type { WsClient } from '../ws-client/ws-client.js';
import type { WsNamespaced } from '../ws-client/room-key.js';
import type { WsRoomUser } from '../ws-client/client-entry.js';
import type { OptionChecks } from './checks/option-checks.js';
import type { WsRedisClient } from './redis.options.js';

/** A failure that no caller waits for, with what is known of whom and what it concerns: the fields of its line in the log. */
export interface WsFailure extends WsLogFields {
  readonly error: Error;
  /** What failed, as the log says it, without the error's own text. */
  readonly message: string;
}

/** @typeParam Server the server that `onServerStarted` gets; its class stands above the options */
export interface EventOptions<Server = unknown> {
  /** The endpoint's ws server and the facade are ready; connections are accepted next. */
  onServerStarted?(started: { webSocketServer: WebSocketServer; server: Server }): unknown;
  /** A connection was accepted and welcomed. It is closed with 1011 when this throws or rejects. */
  onConnected?(connected: {
    ws: WebSocket;
    client: WsClient;
    clientId: string;
    /** Puts the client into a room, as `RoomManager.addClientToRoom` does. */
    joinRoom: (room: WsRoomUser & WsNamespaced & { roomName: string }) => Promise<boolean>;
  }): unknown;
  /** A connection has ended. */
  onDisconnected?(disconnected: { client: WsClient; clientId: string; code: number; reason: string }): unknown;
  /** A client sent a message: the whole of it, before its route is looked up. Its handler does not wait for this. */
  onMessage?(received: {
    ws: WebSocket;
    client: WsClient;
    clientId: string;
    data: unknown;
    /** For ordinary commands; null in an application without Redis. */
    redis: WsRedisClient | null;
    /** The same under the name that PXL gave it. */
    redisInstance: WsRedisClient | null;
  }): unknown;
  /**
   * Something failed whose result no caller waits for: a hook, an event callback, a socket, a promise that was not
   * awaited.
   */
  onError?(failed: WsFailure): unknown;
}

export function resolveEvents(events: OptionChecks): EventOptions {
  return {
    onServerStarted: events.callback('onServerStarted'),
    onConnected: events.callback('onConnected'),
    onDisconnected: events.callback('onDisconnected'),
    onMessage: events.callback('onMessage'),
    onError: events.callback('onError'),
  };
}
