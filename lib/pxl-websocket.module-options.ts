import type { CanActivate, Type } from '@nestjs/common';
import type { PerMessageDeflateOptions } from 'ws';
import type { WsBroadcaster } from './cluster/bus/broadcaster.interface.js';
import { PxlWebSocketOptionsError } from './errors/start-up.errors.js';
import {
  resolveConnectionGuards,
  resolveOrigins,
  resolveTrustProxy,
  resolveUpgrade,
  type WsOrigins,
  type WsUpgradeOptions,
} from './options/access.options.js';
import { resolveAuth, type WsAuthOptions } from './options/auth.options.js';
import { FORMER_OPTIONS } from './options/checks/former-options.js';
import { OptionChecks } from './options/checks/option-checks.js';
import { checkListedRooms, resolveClientList, type WsClientListOptions } from './options/client-list.options.js';
import { resolveBroadcaster } from './options/broadcaster.options.js';
import { resolveCluster, resolvePrefix, type WsClusterOptions } from './options/cluster.options.js';
import { resolveCompression } from './options/compression.options.js';
import { resolveMetrics, type WsMetricsOptions } from './options/observability/metrics.options.js';
import { resolveTracing, type WsTracingOptions } from './options/observability/tracing.options.js';
import { checkWebhooks, resolveWebhooks, type WsWebhookOptions } from './options/observability/webhooks.options.js';
import {
  resolveRequestContext,
  type WsRequestContextOptions,
} from './options/observability/request-context.options.js';
import { resolveDelivery, type WsDeliveryOptions } from './options/delivery.options.js';
import { resolveOutbound, type WsEncryptionOptions, type WsOutboundTransformer } from './options/encryption.options.js';
import { optionsOfEndpoints, type WsEndpointOptions } from './options/endpoint.options.js';
import { resolveEvents, type EventOptions } from './options/events.options.js';
import {
  resolveHeartbeat,
  resolveInactiveClients,
  type WsHeartbeatOptions,
  type WsInactiveClientsOptions,
} from './options/heartbeat.options.js';
import { resolveInbound, type WsInboundOptions } from './options/inbound.options.js';
import { resolveLimits, type WsLimitOptions } from './options/limits.options.js';
import { DEFAULTS_OF } from './options/protocol.options.js';
import { resolveRedis, type WsRedisOption } from './options/redis.options.js';
import {
  checkDefaultRooms,
  checkFirstRooms,
  checkPresence,
  resolveRooms,
  type WsRoomOptions,
} from './options/rooms/rooms.options.js';
import { resolveDebug, resolveRouting, type WsDebugOptions, type WsRoutingOptions } from './options/routing.options.js';
import { resolveShutdown, type WsShutdownOptions } from './options/shutdown.options.js';
import { resolveTimeouts, type WsTimeoutOptions } from './options/timeouts.options.js';
import type { WsProtocolName } from './protocol/codec.interface.js';
import { allOptions, type ResolvedOptions } from './pxl-websocket.options.js';
import type { PxlWebSocketServer } from './server/facade/pxl-websocket-server.js';
import type { WebSocketSubscriberDefinition } from './subscribers/subscriber.interface.js';
import { resolveSubscribers, type ResolvedSubscribers } from './subscribers/subscriber.options.js';

/** The options of `PxlWebSocketModule`. A bad one fails at start-up with a sentence that names it. */
export interface PxlWebSocketModuleOptions {
  /** False: no endpoint is opened; everything stays injectable and sends do nothing. Default: true. */
  enabled?: boolean | undefined;
  /**
   * The path of the endpoint for gateways without a path of their own, compared byte for byte but for parameters:
   * `'/ws/:tenant'`. Default: `'/ws'`.
   */
  path?: string | undefined;
  /**
   * The envelope of connections that name no subprotocol: `'pxl'` (`{ type, action, data?, id? }`) or `'event'`
   * (`{ event, data?, id? }`, as Ignis and Nest's own gateways do). Defaults that differ with `'event'` are marked so.
   * Default: `'pxl'`.
   */
  protocol?: WsProtocolName | undefined;
  /**
   * What differs on the path of a gateway with a path of its own, by that path as the gateway writes it (`'/ws/:tenant'`):
   * each group is laid over the module's. Default: none.
   */
  endpoints?: Record<string, WsEndpointOptions> | undefined;
  /**
   * The Redis that carries messages between workers. Default: none, the application is one process.
   */
  redis?: WsRedisOption | undefined;
  /** The beginning of all channels and keys. Applications on one Redis need different ones. Default: `'pxl'`. */
  prefix?: string | undefined;
  /**
   * A bus of the application's own in place of Redis. It carries messages, commands and events. What workers otherwise share
   * in Redis each worker then has for itself: the registry and its mirror (`fetchClients` and `countClients` know this
   * worker's clients only), the presence of users, `limits.connectionsPerUser`, the uses that `@WsRateLimit` counts,
   * revocations from before its start, and the rule that a job is reported once. Default: none.
   */
  broadcaster?: Type<WsBroadcaster> | undefined;
  /** How the workers of a cluster know of each other. */
  cluster?: WsClusterOptions | undefined;
  /** How clients prove who they are. Without it every client is anonymous (`client.user` is null). */
  auth?: WsAuthOptions | undefined;
  /**
   * Guards of every connection, as classes (with dependencies) or instances. They run once the identity is known. See
   * `@UseConnectionGuards`. Default: `[]`.
   */
  connectionGuards?: (Type<CanActivate> | CanActivate)[] | undefined;
  /**
   * The origins whose pages may connect. A request without an origin comes from no browser and passes. Default: the
   * request's own host.
   */
  origins?: WsOrigins | undefined;
  /**
   * Whose `X-Forwarded-For` is believed: everybody's (`true`), that of a number of proxies in front of this server, or that
   * of a list of addresses and ranges (`10.0.0.0/8`). Default: false, the peer's address is the client's.
   */
  trustProxy?: boolean | number | string[] | undefined;
  rooms?: WsRoomOptions | undefined;
  /** The list of all clients that clients may ask for. */
  clientList?: WsClientListOptions | undefined;
  /** Closes the connections of clients that send nothing: with 4510, or with 4002 where they speak `event.v1`. */
  disconnectInactiveClients?: WsInactiveClientsOptions | undefined;
  /** Finds dead connections by pings. `false` switches it off. */
  heartbeat?: WsHeartbeatOptions | false | undefined;
  limits?: WsLimitOptions | undefined;
  delivery?: WsDeliveryOptions | undefined;
  inbound?: WsInboundOptions | undefined;
  timeouts?: WsTimeoutOptions | undefined;
  /**
   * permessage-deflate (RFC 7692). It costs the fast path, since each message is compressed for each client. `true`:
   * messages from 1,024 bytes on, ten at once, without context takeover on either side, so that a connection keeps about
   * 40 KB for it instead of 260. Options of ws override these: `{ serverNoContextTakeover: undefined }` compresses better
   * and keeps more. Default: false.
   */
  compression?: boolean | PerMessageDeflateOptions | undefined;
  /**
   * Encrypts the frames of single connections in addition to TLS, so that a proxy that ends TLS carries and logs no clear
   * text. It works per hop, not end to end. `true`: for clients that offer a key. Default: false.
   */
  encryption?: boolean | WsEncryptionOptions | undefined;
  /**
   * Changes or holds back each frame to each client, the welcome included: it returns another event, or null, then nothing
   * is sent. It has `timeouts.hook` to answer; a frame for which it fails is not sent, but counted and reported. It costs the
   * fast path, since each frame is parsed again for each client. Default: none.
   */
  outboundTransformer?: WsOutboundTransformer | undefined;
  /** Callbacks for the life of the server and its connections; each runs before the gateways' own hook. */
  events?: WsEventOptions | undefined;
  /**
   * Handlers of cluster events, beside the methods with `@WsSubscriber()`. See `defineWebSocketSubscriber`. Default: `[]`.
   */
  subscribers?: readonly WebSocketSubscriberDefinition[] | undefined;
  routing?: WsRoutingOptions | undefined;
  upgrade?: WsUpgradeOptions | undefined;
  shutdown?: WsShutdownOptions | undefined;
  debug?: WsDebugOptions | undefined;
  /** What Prometheus reads of this worker. */
  metrics?: WsMetricsOptions | undefined;
  /**
   * Spans of OpenTelemetry. They are made where the application has `@opentelemetry/api` and an SDK that is registered when it begins
   * to listen. `false`: none are made, and no trace goes to other workers.
   */
  tracing?: WsTracingOptions | boolean | undefined;
  /** Tells other systems of users, rooms and clients that come and go, by signed HTTP requests. Default: none. */
  webhooks?: WsWebhookOptions | undefined;
  /**
   * `wsContext()` tells in handlers, guards, hooks and subscribers, and in what they call, which request they are at work on, so that
   * lines of the log have its id. It takes an `AsyncLocalStorage` per message. Default: false.
   */
  requestContext?: boolean | WsRequestContextOptions | undefined;
}

/** The callbacks of the option `events`. */
export type WsEventOptions = EventOptions<PxlWebSocketServer>;

/** Makes the options for `forRootAsync({ useClass | useExisting })`. */
export interface PxlWebSocketOptionsFactory {
  create(): PxlWebSocketModuleOptions | Promise<PxlWebSocketModuleOptions>;
}

/**
 * Checks the options and puts the defaults in place.
 *
 * @throws PxlWebSocketOptionsError in one sentence that names the option, what was given and what is allowed
 */
export function resolveOptions(given: PxlWebSocketModuleOptions): ResolvedOptions & ResolvedSubscribers {
  const options = new OptionChecks('', given);
  const protocol = options.oneOf('protocol', ['pxl', 'event']);
  const usual = DEFAULTS_OF[protocol];
  const resolved: ResolvedOptions & ResolvedSubscribers = {
    enabled: options.boolean('enabled', true),
    path: options.path('path', '/ws'),
    protocol,
    endpoints: resolveEndpoints(options, given),
    redis: resolveRedis(options),
    prefix: resolvePrefix(options),
    broadcaster: resolveBroadcaster(options),
    cluster: options.inGroup('cluster', (cluster) => resolveCluster(cluster, options)),
    auth: options.inGroup('auth', (auth) => resolveAuth(auth, given.auth !== undefined, usual.authMode)),
    connectionGuards: resolveConnectionGuards(options),
    origins: resolveOrigins(options),
    trustProxy: resolveTrustProxy(options),
    rooms: options.inGroup('rooms', (rooms) => resolveRooms(rooms, protocol, usual.rooms, hasNamespaces(given))),
    clientList: options.inGroup('clientList', resolveClientList),
    disconnectInactiveClients: options.inGroup('disconnectInactiveClients', (inactive) =>
      resolveInactiveClients(inactive, usual.inactive),
    ),
    heartbeat: resolveHeartbeat(options),
    limits: options.inGroup('limits', (limits) => resolveLimits(limits, usual.maxPayload)),
    delivery: options.inGroup('delivery', (delivery) => resolveDelivery(delivery, hasNamespaces(given))),
    inbound: options.inGroup('inbound', resolveInbound),
    timeouts: options.inGroup('timeouts', resolveTimeouts),
    compression: resolveCompression(options),
    outbound: Object.freeze(resolveOutbound(options)),
    events: options.inGroup('events', resolveEvents),
    subscribers: resolveSubscribers(options),
    routing: options.inGroup('routing', resolveRouting),
    upgrade: options.inGroup('upgrade', resolveUpgrade),
    shutdown: options.inGroup('shutdown', resolveShutdown),
    debug: options.inGroup('debug', resolveDebug),
    metrics: options.inGroup('metrics', resolveMetrics),
    tracing: resolveTracing(options),
    webhooks: resolveWebhooks(options),
    requestContext: resolveRequestContext(options),
  };
  options.finish(FORMER_OPTIONS);
  checkFirstRooms(resolved.rooms, resolved.limits);
  checkPresence(resolved.rooms, resolved.cluster);
  checkDefaultRooms(resolved.rooms);
  checkWebhooks(resolved.webhooks, resolved.rooms, resolved.redis);
  checkListedRooms(
    resolved.clientList,
    allOptions(resolved).some(({ rooms }) => rooms.namespace !== undefined),
  );
  return Object.freeze(resolved);
}

/** Whether clients of any endpoint call rooms by names that are theirs alone. */
function hasNamespaces({ rooms, endpoints }: PxlWebSocketModuleOptions): boolean {
  return [rooms, ...Object.values(endpoints ?? {}).map((own) => own.rooms)].some(
    (given) => given?.namespace !== undefined,
  );
}

function resolveEndpoints(checks: OptionChecks, given: PxlWebSocketModuleOptions): ResolvedOptions['endpoints'] {
  if (checks.raw('endpoints') === undefined) return new Map();
  const resolved = [...optionsOfEndpoints(given)].map(([path, options]): [string, ResolvedOptions] => {
    try {
      return [path, resolveOptions(options)];
    } catch (error) {
      if (!(error instanceof PxlWebSocketOptionsError)) throw error;
      throw new PxlWebSocketOptionsError(`${error.message} (in endpoints[${JSON.stringify(path)}])`);
    }
  });
  return new Map(resolved);
}
