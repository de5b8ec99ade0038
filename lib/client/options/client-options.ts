import type { ClientCodec } from '../messages/client-codec.interface.js';
import { CLIENT_CODECS } from '../messages/client-codecs.js';
import type { ClientHeartbeatOptions, QueueOptions, WebSocketClientOptions } from './client-options.interface.js';
import { checkOptions, urlOf } from './option-rules.js';
import type { WebSocketConstructor } from '../connection/socket.interface.js';
import { surroundings } from './surroundings.js';
import { badOption } from '../websocket-client.error.js';

/** The checked options with every default filled in. */
export interface ResolvedClientOptions extends Pick<
  WebSocketClientOptions,
  'events' | 'encryption' | 'getToken' | 'pageLifecycle' | 'positions'
> {
  readonly url: string;
  readonly codec: ClientCodec;
  readonly webSocket: WebSocketConstructor;
  readonly tokenTo: 'protocol' | 'query' | 'message';
  readonly tokenPatience: number;
  readonly connectTimeout: number;
  readonly reconnect: ResolvedReconnect;
  readonly requestTimeout: number | false;
  /** A limit of 0 means that nothing waits. */
  readonly queue: QueueOptions & { readonly limit: number };
  /** What is left out comes from the welcome, or from the library's defaults. */
  readonly heartbeat: ClientHeartbeatOptions | false;
}

/** Whether and when the client reconnects by itself. */
export interface ResolvedReconnect {
  readonly isEnabled: boolean;
  readonly minDelay: number;
  readonly maxDelay: number;
  readonly attempts: number;
}

/** @throws WebSocketClientError BAD_OPTION for the first option that is wrong or unknown */
export function resolveClientOptions(options: WebSocketClientOptions): ResolvedClientOptions {
  const { url, ...others } = options;
  const {
    protocol = 'pxl',
    server,
    webSocket = surroundings.WebSocket,
    tokenTo = server ? (protocol === 'pxl' ? 'query' : 'message') : 'protocol',
    tokenPatience = 30_000,
    connectTimeout = 15_000,
    reconnect = {},
    requestTimeout = 10_000,
    queue = {},
    heartbeat = {},
  } = others;
  const href = urlOf(url);
  if (!href) throw badOption('The option url has to be a ws url.');
  checkOptions(others);
  if (server && (options.encryption ?? options.tokenTo)) {
    throw badOption('There is no tokenTo or encryption beside server.');
  }
  if (!webSocket) throw badOption('There is no WebSocket: the option webSocket has to be one.');
  const { minDelay = 500, maxDelay = 20_000, attempts = Infinity } = reconnect || {};
  return {
    ...options,
    url: href,
    codec: { ...CLIENT_CODECS[protocol], name: `${protocol}.v1`, isOther: Boolean(server) },
    webSocket,
    tokenTo,
    tokenPatience,
    connectTimeout,
    reconnect: { isEnabled: Boolean(reconnect), minDelay, maxDelay: Math.max(minDelay, maxDelay), attempts },
    requestTimeout,
    queue: queue ? { ...queue, limit: queue.limit ?? 100 } : { limit: 0 },
    heartbeat,
  };
}
