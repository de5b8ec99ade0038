import type { ModuleRef } from '@nestjs/core';
import type { WebSocketConstructor, WebSocketLike } from '../client/connection/socket.interface.js';
import type { WebSocketClient } from '../client/websocket-client.js';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';
import type { WsRedisClient } from '../options/redis.options.js';
import type { ClientModuleEventMap, RoomToJoin } from './client-module-options.interface.js';

/** Adds to a client's events what they have in an application: the socket, Redis, the client; as PXL's client does. */
export class ClientSurroundings {
  #client: WebSocketClient | null = null;
  #ws: WebSocketLike | null = null;
  /** Set when the first message arrives; undefined before. */
  #redis: WsRedisClient | null | undefined;

  /** @param findRedis the application's connection to Redis */
  constructor(private readonly findRedis: () => WsRedisClient | null) {}

  /** Returns a subclass that remembers the socket it made last, which is the one of the connection. */
  watch(webSocket: WebSocketConstructor): WebSocketConstructor {
    return new Proxy(webSocket, {
      construct: (type, [url, protocols]: [string, string[]]) => (this.#ws = new type(url, protocols)),
    });
  }

  /** Sets the client whose events these are. */
  belongTo(client: WebSocketClient): void {
    this.#client = client;
  }

  /** Returns the event with the additional fields. */
  complete(name: string | symbol, event: object): object {
    if (name === 'onConnected') return { ...event, ...this.#whereConnected() };
    return name === 'onMessage' ? { ...event, ...this.#whereMessaged() } : event;
  }

  #whereConnected(): Partial<ClientModuleEventMap['onConnected']> {
    return { ws: this.#socket, joinRoom: (room) => this.#join(room) };
  }

  #whereMessaged(): Partial<ClientModuleEventMap['onMessage']> {
    if (this.#redis === undefined) this.#redis = this.findRedis();
    const redis = this.#redis;
    return { ws: this.#socket, clientId: this.#client?.clientId ?? null, redis, redisInstance: redis };
  }

  get #socket(): WebSocketLike {
    if (!this.#ws) throw new TypeError('The client has no socket.');
    return this.#ws;
  }

  /** Returns the client's own promise, whose failure is logged when nobody awaits it. */
  #join(room: RoomToJoin): Promise<unknown> {
    const { roomName, ...options } = typeof room === 'string' ? { roomName: room } : room;
    return this.#client?.join(roomName, options) ?? Promise.resolve();
  }
}

/** The application's connection to Redis from `PxlWebSocketModule`; null without Redis, or without that module. */
export function findRedis(moduleRef: ModuleRef): WsRedisClient | null {
  try {
    return moduleRef.get<WsRedisClient | null>(PXL_WS_REDIS, { strict: false });
  } catch {
    return null; // Nest throws when there is no such provider
  }
}
