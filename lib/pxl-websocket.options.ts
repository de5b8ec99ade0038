import type { CanActivate, Type } from '@nestjs/common';
import type { PerMessageDeflateOptions } from 'ws';
import type { WsOrigins, ResolvedUpgrade } from './options/access.options.js';
import type { ResolvedAuth } from './options/auth.options.js';
import type { ResolvedClientList } from './options/client-list.options.js';
import type { ResolvedCluster } from './options/cluster.options.js';
import type { ResolvedDelivery } from './options/delivery.options.js';
import type { ResolvedOutbound } from './options/encryption.options.js';
import type { EventOptions } from './options/events.options.js';
import type { ResolvedHeartbeat, ResolvedInactiveClients } from './options/heartbeat.options.js';
import type { ResolvedInbound } from './options/inbound.options.js';
import type { ResolvedLimits } from './options/limits.options.js';
import type { ResolvedMetrics } from './options/observability/metrics.options.js';
import type { ResolvedTracing } from './options/observability/tracing.options.js';
import type { ResolvedWebhooks } from './options/observability/webhooks.options.js';
import type { ResolvedRequestContext } from './options/observability/request-context.options.js';
import type { ResolvedRedis } from './options/redis.options.js';
import type { ResolvedRooms } from './options/rooms/rooms.options.js';
import type { ResolvedDebug, ResolvedRouting } from './options/routing.options.js';
import type { ResolvedShutdown } from './options/shutdown.options.js';
import type { ResolvedTimeouts } from './options/timeouts.options.js';
import type { WsProtocolName } from './protocol/codec.interface.js';

/** The token of the {@link ResolvedOptions}. */
export const PXL_WS_OPTIONS = Symbol('PXL_WS_OPTIONS');

/** The options with every default in place, checked and frozen. The definitions of subscribers are resolved with them. */
export interface ResolvedOptions {
  readonly enabled: boolean;
  readonly path: string;
  readonly protocol: WsProtocolName;
  /** The complete options of paths that differ from the module's own. */
  readonly endpoints: ReadonlyMap<string, ResolvedOptions>;
  /** Undefined: the application is one process, or has a bus of its own. */
  readonly redis: ResolvedRedis | undefined;
  readonly prefix: string;
  readonly broadcaster: Type<object> | undefined;
  readonly cluster: ResolvedCluster;
  readonly auth: ResolvedAuth;
  readonly connectionGuards: readonly (Type<CanActivate> | CanActivate)[];
  /** Undefined: only pages of the same host may connect. */
  readonly origins: WsOrigins | undefined;
  readonly trustProxy: boolean | number | readonly string[];
  readonly rooms: ResolvedRooms;
  readonly clientList: ResolvedClientList;
  readonly disconnectInactiveClients: ResolvedInactiveClients;
  readonly heartbeat: ResolvedHeartbeat;
  readonly limits: ResolvedLimits;
  readonly delivery: ResolvedDelivery;
  readonly inbound: ResolvedInbound;
  readonly timeouts: ResolvedTimeouts;
  readonly compression: false | PerMessageDeflateOptions;
  /** The options `encryption` and `outboundTransformer`. */
  readonly outbound: ResolvedOutbound;
  readonly events: Readonly<EventOptions>;
  readonly routing: ResolvedRouting;
  readonly upgrade: ResolvedUpgrade;
  readonly shutdown: ResolvedShutdown;
  readonly debug: ResolvedDebug;
  readonly metrics: ResolvedMetrics;
  readonly tracing: ResolvedTracing;
  /** Undefined: nobody is told. */
  readonly webhooks: ResolvedWebhooks | undefined;
  /** Null: `wsContext()` is undefined everywhere. */
  readonly requestContext: ResolvedRequestContext | null;
}

/** Whether there may be other workers. */
export function isClustered({ redis, broadcaster }: ResolvedOptions): boolean {
  return redis !== undefined || broadcaster !== undefined;
}

/** The options that hold on a path. */
export function optionsAt(options: ResolvedOptions, path: string): ResolvedOptions {
  return options.endpoints.get(path) ?? options;
}

/** The module's own options and those of every path that has others. */
export function allOptions(options: ResolvedOptions): ResolvedOptions[] {
  return [options, ...options.endpoints.values()];
}
