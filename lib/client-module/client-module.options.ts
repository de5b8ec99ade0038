import { WebSocket, type ClientOptions } from 'ws';
import type { WebSocketConstructor } from '../client/connection/socket.interface.js';
import { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
import { isGroup, OptionChecks } from '../options/checks/option-checks.js';
import { checkOptionNames } from './client-option-names.js';
import type { ApplicationClientOptions, PxlWebSocketClientModuleOptions } from './client-module-options.interface.js';

/** The options of the module with every default filled in. The client checks its own options itself. */
export interface ResolvedClientModuleOptions {
  readonly client: ApplicationClientOptions;
  readonly waitForConnection: number | false;
  readonly routing: { readonly globalGuards: boolean; readonly globalFilters: boolean };
  readonly shutdown: { readonly timeout: number };
}

/** @throws PxlWebSocketOptionsError in one sentence that names the option, what was given and what is allowed */
export function resolveClientModuleOptions(given: PxlWebSocketClientModuleOptions): ResolvedClientModuleOptions {
  if (!isGroup(given)) {
    throw new PxlWebSocketOptionsError(
      'The options of PxlWebSocketClientModule are an object with the url of a server.',
    );
  }
  checkOptionNames(given);
  const { waitForConnection, socketOptions, routing, shutdown, ...client } = given;
  const options = new OptionChecks('', { waitForConnection, socketOptions, routing, shutdown });
  const routingOptions = options.group('routing');
  const shutdownOptions = options.group('shutdown');
  const resolved = {
    client: { ...client, webSocket: resolveWebSocket(options, client.webSocket) },
    waitForConnection: options.limit('waitForConnection', false, 1),
    routing: {
      globalGuards: routingOptions.boolean('globalGuards', true),
      globalFilters: routingOptions.boolean('globalFilters', true),
    },
    shutdown: { timeout: shutdownOptions.integer('timeout', 10_000, 0) },
  };
  routingOptions.finish();
  shutdownOptions.finish();
  return resolved;
}

/** Uses the sockets of `ws`: Node 20 has no WebSocket of its own, and that of Node 22 takes no headers. */
function resolveWebSocket(options: OptionChecks, given: WebSocketConstructor | undefined): WebSocketConstructor {
  const socketOptions = options.raw('socketOptions');
  if (socketOptions === undefined) return given ?? WebSocket;
  if (!isGroup(socketOptions)) options.refuse('socketOptions', 'an object');
  if (given !== undefined) options.refuse('socketOptions', 'left out where webSocket makes the sockets');
  return socketClass(socketOptions);
}

function socketClass(options: ClientOptions): WebSocketConstructor {
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, options);
    }
  };
}
