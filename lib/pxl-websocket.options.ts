import type { PerMessageDeflateOptions } from 'ws';
import type { WsAuthenticate } from './auth/authenticator.interface.js';
import type { EventOptions, PxlWebSocketModuleOptions } from './interfaces/module-options.interface.js';
import { OptionChecks } from './pxl-websocket.option-checks.js';

/** The token of the {@link ResolvedOptions}. */
export const PXL_WS_OPTIONS = Symbol('PXL_WS_OPTIONS');

/** The options with every default in place, checked and frozen. */
export interface ResolvedOptions {
  readonly enabled: boolean;
  readonly path: string;
  readonly auth: { readonly authenticate: WsAuthenticate | undefined };
  readonly rooms: {
    readonly clientCanJoinMultipleRooms: boolean;
    readonly open: boolean;
    readonly announce: boolean;
    readonly defaults: readonly string[];
  };
  readonly heartbeat: { readonly interval: number; readonly timeout: number } | null;
  readonly limits: {
    readonly maxPayload: number;
    readonly roomsPerClient: number | false;
    readonly roomName: number | false;
    readonly upgradeTimeout: number | false;
    readonly streamsPerClient: number | false;
  };
  readonly inbound: { readonly concurrency: number; readonly queue: number; readonly binary: boolean };
  readonly timeouts: { readonly hook: number; readonly handler: number | false };
  readonly compression: boolean | PerMessageDeflateOptions;
  readonly events: Readonly<EventOptions>;
  readonly routing: { readonly globalGuards: boolean };
  readonly upgrade: { readonly foreignTimeout: number | false };
  readonly shutdown: { readonly timeout: number };
  readonly debug: { readonly printRoutes: boolean };
}

/**
 * Checks the options and puts the defaults in place: the only place where defaults live.
 *
 * @throws PxlWebSocketOptionsError in one sentence that names the option, what was given and what is allowed
 */
export function resolveOptions(given: PxlWebSocketModuleOptions): ResolvedOptions {
  const options = new OptionChecks('', given);
  const resolved: ResolvedOptions = {
    enabled: options.boolean('enabled', true),
    path: options.path('path', '/ws'),
    auth: group(options, 'auth', (auth) => ({
      authenticate: auth.callback('authenticate') as WsAuthenticate | undefined,
    })),
    rooms: group(options, 'rooms', (rooms) => ({
      clientCanJoinMultipleRooms: rooms.boolean('clientCanJoinMultipleRooms', true),
      open: rooms.boolean('open', false),
      announce: rooms.boolean('announce', false),
      defaults: Object.freeze([...rooms.texts('defaults')]),
    })),
    heartbeat: resolveHeartbeat(options),
    limits: group(options, 'limits', (limits) => ({
      maxPayload: limits.integer('maxPayload', 65_536, 1),
      roomsPerClient: limits.limit('roomsPerClient', 128, 1),
      roomName: limits.limit('roomName', 128, 1),
      upgradeTimeout: limits.limit('upgradeTimeout', 10_000, 1),
      streamsPerClient: limits.limit('streamsPerClient', 32, 1),
    })),
    inbound: group(options, 'inbound', (inbound) => ({
      concurrency: inbound.integer('concurrency', 1, 1),
      queue: inbound.integer('queue', 64, 1),
      binary: inbound.boolean('binary', false),
    })),
    timeouts: group(options, 'timeouts', (timeouts) => ({
      hook: timeouts.integer('hook', 10_000, 1),
      handler: timeouts.limit('handler', false, 1),
    })),
    compression: resolveCompression(options),
    events: group(options, 'events', resolveEvents),
    routing: group(options, 'routing', (routing) => ({ globalGuards: routing.boolean('globalGuards', true) })),
    upgrade: group(options, 'upgrade', (upgrade) => ({
      foreignTimeout: upgrade.limit('foreignTimeout', 10_000, 1),
    })),
    shutdown: group(options, 'shutdown', (shutdown) => ({ timeout: shutdown.integer('timeout', 10_000, 0) })),
    debug: group(options, 'debug', (debug) => ({ printRoutes: debug.boolean('printRoutes', false) })),
  };
  options.finish();
  return Object.freeze(resolved);
}

function group<T extends object>(options: OptionChecks, name: string, read: (group: OptionChecks) => T): Readonly<T> {
  const checks = options.group(name);
  const resolved = read(checks);
  checks.finish();
  return Object.freeze(resolved);
}

function resolveHeartbeat(options: OptionChecks): ResolvedOptions['heartbeat'] {
  if (options.raw('heartbeat') === false) return null;
  return group(options, 'heartbeat', (heartbeat) => {
    const interval = heartbeat.integer('interval', 15_000, 10);
    const timeout = heartbeat.integer('timeout', Math.min(10_000, interval), 10);
    if (timeout > interval) heartbeat.refuse('timeout', `at most heartbeat.interval (${interval})`);
    return { interval, timeout };
  });
}

function resolveCompression(options: OptionChecks): boolean | PerMessageDeflateOptions {
  const compression = options.raw('compression') ?? false;
  if (typeof compression === 'boolean') return compression;
  if (typeof compression !== 'object')
    options.refuse('compression', 'true, false or the options of permessage-deflate');
  return compression;
}

function resolveEvents(events: OptionChecks): EventOptions {
  return {
    onServerStarted: events.callback('onServerStarted'),
    onConnected: events.callback('onConnected'),
    onDisconnected: events.callback('onDisconnected'),
    onMessage: events.callback('onMessage'),
    onError: events.callback('onError'),
  };
}
