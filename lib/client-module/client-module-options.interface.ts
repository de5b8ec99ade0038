import type { ClientOptions } from 'ws';
import type {
  ClientEventMap,
  ClientEvents,
  WebSocketClientOptions,
} from '../client/options/client-options.interface.js';
import type { WebSocketLike } from '../client/connection/socket.interface.js';
import type { RedisClient } from '../redis/link/redis-client.js';

/** The options of a client of an application: those of pages are left out. */
export interface ApplicationClientOptions extends Omit<WebSocketClientOptions, 'events' | 'pageLifecycle'> {
  events?: ClientModuleEvents | undefined;
}

/** The options of a client, and what the application does with it. */
export interface PxlWebSocketClientModuleOptions extends ApplicationClientOptions {
  /**
   * How long the start of the application waits for the connection, in ms; without one by then, or with a refusal for good,
   * the start fails. Default: `false`, it does not wait: the client goes on trying, and the log tells.
   */
  waitForConnection?: number | false | undefined;
  /** Options of the sockets of `ws`: `headers`, `ca`, `cert`, `agent`. Not beside `webSocket`. */
  socketOptions?: ClientOptions | undefined;
  routing?: ClientRoutingOptions | undefined;
  shutdown?: ClientShutdownOptions | undefined;
}

/** Callbacks for the life of the connection: those of the client, of which two get more in an application. */
export type ClientModuleEvents = Omit<ClientEvents, keyof ClientModuleEventMap> & {
  [Name in keyof ClientModuleEventMap]?: ((event: ClientModuleEventMap[Name]) => void) | undefined;
};

/** A room, also with the label that its other members see. */
export type RoomToJoin = string | { roomName: string; username?: string | undefined };

/** What the two callbacks are called with. */
export interface ClientModuleEventMap {
  onConnected: Omit<ClientEventMap['onConnected'], 'joinRoom'> & {
    /** The socket, for reading its state: what is sent through it goes past the queue and the encryption. */
    ws: WebSocketLike;
    joinRoom: (room: RoomToJoin) => Promise<unknown>;
  };
  onMessage: ClientEventMap['onMessage'] & {
    ws: WebSocketLike;
    /** Null where the server has not told one. */
    clientId: string | null;
    /** That of `PxlWebSocketModule` in the same application (`@InjectWsRedis()`), for ordinary commands; else null. */
    redis: RedisClient | null;
    /** The same under the name that PXL gave it. */
    redisInstance: RedisClient | null;
  };
}

/** What applies to the methods of client controllers. */
export interface ClientRoutingOptions {
  /** `false`: app-wide guards, written for requests of clients, are left out. Default: true. */
  globalGuards?: boolean | undefined;
  /** `false`: app-wide filters are left out. Default: true. */
  globalFilters?: boolean | undefined;
}

/** How a client ends with its application. */
export interface ClientShutdownOptions {
  /** How long running handlers are waited for before the client disconnects, in ms. Default: 10 000. */
  timeout?: number | undefined;
}

/** What `useClass` and `useExisting` of `PxlWebSocketClientModule.forRootAsync` name. */
export interface PxlWebSocketClientOptionsFactory {
  create(): PxlWebSocketClientModuleOptions | Promise<PxlWebSocketClientModuleOptions>;
}
