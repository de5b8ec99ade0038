import type { ClientOptions } from 'ws';
import type {
  ClientEventMap,
  ClientEvents,
  WebSocketClientOptions,
} from '../client/options/client-options.interface.js';
import type { JoinOptions } from '../client/room-joins.interface.js';
import type { WebSocketLike } from '../client/connection/socket.interface.js';
import type { WsRedisClient } from '../options/redis.options.js';

/** The options of a client in an application: all but those that are for pages. */
export interface ApplicationClientOptions extends Omit<WebSocketClientOptions, 'events' | 'pageLifecycle'> {
  events?: ClientModuleEvents | undefined;
}

/** The options of `PxlWebSocketClientModule`: those of the client, and how the application uses it. */
export interface PxlWebSocketClientModuleOptions extends ApplicationClientOptions {
  /**
   * How long the start of the application waits for the connection, in ms. The start fails when there is no connection by
   * then, or when the server refuses it for good. Default: `false`, the start does not wait; the client keeps trying, and
   * logs it.
   */
  waitForConnection?: number | false | undefined;
  /** Options of the sockets of `ws`: `headers`, `ca`, `cert`, `agent`. Not beside `webSocket`. */
  socketOptions?: ClientOptions | undefined;
  routing?: ClientRoutingOptions | undefined;
  shutdown?: ClientShutdownOptions | undefined;
}

/** Callbacks for the life of the connection: those of the client, two of which get more arguments in an application. */
export type ClientModuleEvents = Omit<ClientEvents, keyof ClientModuleEventMap> & {
  [Name in keyof ClientModuleEventMap]?: ((event: ClientModuleEventMap[Name]) => void) | undefined;
};

/** A room, optionally with the label that its other members see, and from where on it is read if it has history. */
export type RoomToJoin = string | ({ roomName: string } & Pick<JoinOptions, 'username' | 'history' | 'since'>);

/** The arguments that these two callbacks get in addition. */
export interface ClientModuleEventMap {
  onConnected: Omit<ClientEventMap['onConnected'], 'joinRoom'> & {
    /** The socket, for reading its state. What is sent through it bypasses the queue and the encryption. */
    ws: WebSocketLike;
    joinRoom: (room: RoomToJoin) => Promise<unknown>;
  };
  onMessage: ClientEventMap['onMessage'] & {
    ws: WebSocketLike;
    /** The id that the server gave the client; null when it told none. */
    clientId: string | null;
    /** The connection of `PxlWebSocketModule` in the same application (`@InjectWsRedis()`), for ordinary commands; else null. */
    redis: WsRedisClient | null;
    /** The same as `redis`, under its name in PXL. */
    redisInstance: WsRedisClient | null;
  };
}

/** Which app-wide enhancers apply to the methods of client controllers. */
export interface ClientRoutingOptions {
  /** Whether app-wide guards apply; they are usually written for requests of clients. Default: true. */
  globalGuards?: boolean | undefined;
  /** Whether app-wide filters apply. Default: true. */
  globalFilters?: boolean | undefined;
}

/** How a client ends when its application stops. */
export interface ClientShutdownOptions {
  /** How long the client waits for running handlers before it disconnects, in ms. Default: 10 000. */
  timeout?: number | undefined;
}

/** The interface of classes for `useClass` and `useExisting` of `PxlWebSocketClientModule.forRootAsync`. */
export interface PxlWebSocketClientOptionsFactory {
  create(): PxlWebSocketClientModuleOptions | Promise<PxlWebSocketClientModuleOptions>;
}
