import { Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { WebSocketClientError } from '../client/websocket-client.error.js';
import { WebSocketClient } from '../client/websocket-client.js';
import { PxlWebSocketOptionsError, PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import { isGroup } from '../options/checks/option-checks.js';
import type { ApplicationClientOptions, PxlWebSocketClientModuleOptions } from './client-module-options.interface.js';
import { ClientSurroundings } from './client-surroundings.js';
import { ClientLog } from './client.log.js';
import { resolveClientModuleOptions, type ResolvedClientModuleOptions } from './client-module.options.js';
import { forApplication, readably } from './application-client.js';
import { ControllerRoutes } from './controller-routes.js';
import { findRedis } from './client-surroundings.js';
import { Runtime } from '../runtime/runtime.js';
import { WatchedEncryption } from './watched-encryption.js';

/** A client of the application with its options, routes and encryption. */
export interface RegisteredClient {
  readonly name: string;
  readonly client: WebSocketClient;
  readonly options: ResolvedClientModuleOptions;
  readonly routes: ControllerRoutes;
  /** Undefined when the client does not encrypt. */
  readonly encryption: WatchedEncryption | undefined;
}

/** The clients of the application by their names. */
@Injectable()
export class ClientRegistry {
  readonly #clients = new Map<string, RegisteredClient>();

  constructor(
    private readonly runtime: Runtime,
    private readonly moduleRef: ModuleRef,
  ) {}

  get all(): RegisteredClient[] {
    return [...this.#clients.values()];
  }

  find(name: string): RegisteredClient | undefined {
    return this.#clients.get(name);
  }

  /**
   * Creates a client, which does not connect yet.
   *
   * @throws PxlWebSocketSetupError when the name is taken; PxlWebSocketOptionsError for a bad option
   */
  create(name: string, given: PxlWebSocketClientModuleOptions): WebSocketClient {
    if (typeof name !== 'string' || name === '') {
      throw new PxlWebSocketOptionsError(`The name of a WebSocket client is a text, not ${JSON.stringify(name)}.`);
    }
    const present = this.#clients.get(name);
    if (present) {
      const [one, other] = [present.options.client, given].map(addressOf);
      throw new PxlWebSocketSetupError(
        `Two WebSocket clients have the name "${name}", that of ${one} and that of ${other}: name one of them otherwise.`,
      );
    }
    const options = resolveClientModuleOptions(given);
    const encryption = watched(options.client);
    const client = this.#make(name, encryption ? { ...options.client, encryption } : options.client);
    this.#clients.set(name, { name, client, options, routes: new ControllerRoutes(name, client), encryption });
    return client;
  }

  #make(name: string, options: ApplicationClientOptions): WebSocketClient {
    const { events, getToken, webSocket } = options;
    const surroundings = new ClientSurroundings(() => findRedis(this.moduleRef));
    // The client itself refuses a value that is not an object or not a function.
    const log = new ClientLog(name, isGroup(events) ? events : {}, this.runtime, surroundings);
    const watchedOptions = {
      ...options,
      events: (events ?? undefined) === undefined || isGroup(events) ? log.events : events,
      getToken: typeof getToken === 'function' ? readably(getToken) : getToken,
      webSocket: typeof webSocket === 'function' ? surroundings.watch(webSocket) : webSocket,
    };
    try {
      const client = new WebSocketClient(watchedOptions);
      client.onState((change) => log.changed(change));
      surroundings.belongTo(client);
      return forApplication(client, log);
    } catch (error) {
      if (!(error instanceof WebSocketClientError)) throw error;
      throw new PxlWebSocketOptionsError(`${error.message} (of the WebSocket client "${name}")`, { cause: error });
    }
  }
}

function watched({ encryption }: ApplicationClientOptions): WatchedEncryption | undefined {
  // The client itself refuses a value that is not an object.
  return isGroup(encryption) ? new WatchedEncryption(encryption) : undefined;
}

/** The url without what may be secret: user, password and query. */
function addressOf({ url }: Pick<PxlWebSocketClientModuleOptions, 'url'>): string {
  return String(url)
    .replace(/\/\/[^/]*@/, '//')
    .replace(/[?#].*$/, '');
}
