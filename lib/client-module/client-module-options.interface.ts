import type { ClientOptions } from 'ws';
import type { WebSocketClientOptions } from '../client/client-options.interface.js';

/** The options of a client, and what the application does with it. */
export interface PxlWebSocketClientModuleOptions extends WebSocketClientOptions {
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
