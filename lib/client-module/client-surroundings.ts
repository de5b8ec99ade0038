import type { WebSocketConstructor, WebSocketLike } from '../client/connection/socket.interface.js';
import type { WebSocketClient } from '../client/websocket-client.js';
import type { RedisClient } from '../redis/link/redis-client.js';
import type { ClientModuleEventMap, RoomToJoin } from './client-module-options.interface.js';

/** What the events of a client get in an application beside what the client itself tells, as PXL's client had it. */
export class ClientSurroundings {
  #client: WebSocketClient | null = null;
  #ws: WebSocketLike | null = null;
  /** Looked for once, with the first message; undefined until then. */
  #redis: RedisClient | null | undefined;

  /** @param findRedis the application's connection to Redis */
  constructor(private readonly findRedis: () => RedisClient | null) {}

  /** A class of the same sockets: the one made last is that of the connection. */
  watch(webSocket: WebSocketConstructor): WebSocketConstructor {
    return new Proxy(webSocket, {
      construct: (type, [url, protocols]: [string, string[]]) => (this.#ws = new type(url, protocols)),
    });
  }

  /** Whose events these are. */
  belongTo(client: WebSocketClient): void {
    this.#client = client;
  }

  /** An event with what it has here beside what the client tells. */
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

  /** The client's own promise, which tells the log where nobody waits for it. */
  #join(room: RoomToJoin): Promise<unknown> {
    const { roomName, username } = typeof room === 'string' ? { roomName: room } : room;
    return this.#client?.join(roomName, { username }) ?? Promise.resolve();
  }
}
