import type { CanActivate, Type } from '@nestjs/common';
import type { PerMessageDeflateOptions } from 'ws';
import type { Broadcaster } from './cluster/bus/broadcaster.interface.js';
import type {
  EventOptions,
  Origins,
  PxlWebSocketModuleOptions,
  SlowConsumerPolicy,
  UserConnectionsLimit,
} from './interfaces/module-options.interface.js';
import { PxlWebSocketOptionsError } from './errors/start-up.errors.js';
import type { RoomAuthorizeOption, RoomProfileOption } from './interfaces/room-rules.interface.js';
import {
  resolveConnectionGuards,
  resolveOrigins,
  resolveTrustProxy,
  resolveUserConnections,
} from './options/access.options.js';
import { oneOf, resolveAuth, type ResolvedAuth } from './options/auth.options.js';
import { isClass, isClassWith, lackOf } from './options/class-checks.js';
import { resolveCompression } from './options/compression.options.js';
import { resolveBroadcaster, resolveCluster, resolvePrefix, type ResolvedCluster } from './options/cluster.options.js';
import { resolveOutbound, type ResolvedOutbound } from './options/encryption.options.js';
import { optionsOfEndpoints } from './options/endpoint.options.js';
import { FORMER_OPTIONS } from './options/former-options.js';
import { describeWord, isGroup, OptionChecks } from './options/option-checks.js';
import { DEFAULTS_OF } from './options/protocol.options.js';
import { resolveRedis, type ResolvedRedis } from './options/redis.options.js';
import { resolveSubscribers, type ResolvedSubscriber } from './options/subscriber.options.js';
import type { ProtocolName } from './protocol/codec.interface.js';
import { CLIENT_ID_LENGTH } from './runtime/client-id.js';

/** The token of the {@link ResolvedOptions}. */
export const PXL_WS_OPTIONS = Symbol('PXL_WS_OPTIONS');

/** The options with every default in place, checked and frozen. */
export interface ResolvedOptions {
  readonly enabled: boolean;
  readonly path: string;
  readonly protocol: ProtocolName;
  /** What differs on other paths than the module's own, complete. */
  readonly endpoints: ReadonlyMap<string, ResolvedOptions>;
  /** Undefined: the application is one process, or has a bus of its own. */
  readonly redis: ResolvedRedis | undefined;
  readonly prefix: string;
  readonly broadcaster: Type<Broadcaster> | undefined;
  readonly cluster: ResolvedCluster;
  readonly auth: ResolvedAuth;
  readonly connectionGuards: readonly (Type<CanActivate> | CanActivate)[];
  /** Undefined: pages of the same host. */
  readonly origins: Origins | undefined;
  readonly trustProxy: boolean | number | readonly string[];
  readonly rooms: {
    readonly clientCanJoinMultipleRooms: boolean;
    readonly open: boolean;
    readonly announce: boolean;
    readonly named: boolean;
    readonly defaults: readonly string[];
    readonly own: boolean;
    readonly authorize: RoomAuthorizeOption | undefined;
    readonly profile: RoomProfileOption | undefined;
  };
  readonly clientList: { readonly enabled: boolean; readonly fields: readonly string[] };
  readonly disconnectInactiveClients: {
    readonly enabled: boolean;
    readonly inactiveTime: number;
    readonly intervalCheckTime: number;
    readonly log: boolean;
  };
  readonly heartbeat: { readonly interval: number; readonly timeout: number } | null;
  readonly limits: {
    readonly maxPayload: number;
    readonly fragments: number | false;
    readonly maxBufferedBytes: number | false;
    readonly slowConsumer: SlowConsumerPolicy;
    readonly slowConsumerGrace: number;
    readonly messagesPerSecond: number | false;
    readonly burst: number;
    readonly connections: number | false;
    readonly connectionsPerIp: number | false;
    readonly connectionsPerUser: UserConnectionsLimit | false;
    readonly pendingUpgrades: number | false;
    readonly roomsPerClient: number | false;
    readonly roomName: number | false;
    readonly upgradeTimeout: number | false;
    readonly metadataBytes: number | false;
    readonly streamsPerClient: number | false;
    readonly subscriberQueue: number | false;
  };
  readonly inbound: { readonly concurrency: number; readonly queue: number; readonly binary: boolean };
  readonly timeouts: {
    readonly hook: number;
    readonly handler: number | false;
    readonly call: number;
    readonly subscriber: number;
  };
  readonly compression: false | PerMessageDeflateOptions;
  /** `encryption` and `outboundTransformer`. */
  readonly outbound: ResolvedOutbound;
  readonly events: Readonly<EventOptions>;
  readonly subscribers: readonly ResolvedSubscriber[];
  readonly routing: { readonly globalGuards: boolean; readonly globalFilters: boolean };
  readonly upgrade: { readonly foreignTimeout: number | false };
  readonly shutdown: { readonly timeout: number; readonly reconnectSpread: number };
  readonly debug: { readonly printRoutes: boolean };
}

/**
 * Checks the options and puts the defaults in place: the only place where defaults live.
 *
 * @throws PxlWebSocketOptionsError in one sentence that names the option, what was given and what is allowed
 */
export function resolveOptions(given: PxlWebSocketModuleOptions): ResolvedOptions {
  const options = new OptionChecks('', given);
  const protocol = oneOf(options, 'protocol', ['pxl', 'event']);
  const usual = DEFAULTS_OF[protocol];
  const resolved: ResolvedOptions = {
    enabled: options.boolean('enabled', true),
    path: options.path('path', '/ws'),
    protocol,
    endpoints: resolveEndpoints(options, given),
    redis: resolveRedis(options),
    prefix: resolvePrefix(options),
    broadcaster: resolveBroadcaster(options),
    cluster: group(options, 'cluster', (cluster) => resolveCluster(cluster, options)),
    auth: group(options, 'auth', (auth) => resolveAuth(auth, given.auth !== undefined, usual.authMode)),
    connectionGuards: resolveConnectionGuards(options),
    origins: resolveOrigins(options),
    trustProxy: resolveTrustProxy(options),
    rooms: group(options, 'rooms', (rooms) => ({
      clientCanJoinMultipleRooms: rooms.boolean('clientCanJoinMultipleRooms', true),
      // Who has a rule for joining means that clients may ask.
      open: rooms.boolean('open', rooms.raw('authorize') !== undefined),
      announce: rooms.boolean('announce', false),
      named: rooms.boolean('named', false),
      defaults: Object.freeze([...rooms.texts('defaults', usual.rooms)]),
      own: resolveOwnRooms(rooms, protocol),
      authorize: resolveRule(rooms, 'authorize') as RoomAuthorizeOption | undefined,
      profile: resolveRule(rooms, 'profile') as RoomProfileOption | undefined,
    })),
    clientList: group(options, 'clientList', resolveClientList),
    disconnectInactiveClients: group(options, 'disconnectInactiveClients', (inactive) => ({
      enabled: inactive.boolean('enabled', usual.inactive.enabled),
      inactiveTime: inactive.time('inactiveTime', usual.inactive.inactiveTime, 100),
      intervalCheckTime: inactive.time('intervalCheckTime', usual.inactive.intervalCheckTime, 100),
      log: inactive.boolean('log', false),
    })),
    heartbeat: resolveHeartbeat(options),
    limits: group(options, 'limits', (limits) => ({
      maxPayload: limits.integer('maxPayload', usual.maxPayload, 1),
      fragments: limits.limit('fragments', 128, 1),
      maxBufferedBytes: limits.limit('maxBufferedBytes', 1_048_576, 1),
      slowConsumer: oneOf(limits, 'slowConsumer', ['disconnect', 'drop', 'dropOldest']),
      slowConsumerGrace: limits.integer('slowConsumerGrace', 5_000, 0),
      ...resolveRate(limits),
      connections: limits.limit('connections', false, 1),
      connectionsPerIp: limits.limit('connectionsPerIp', false, 1),
      connectionsPerUser: resolveUserConnections(limits),
      pendingUpgrades: limits.limit('pendingUpgrades', 1_000, 1),
      roomsPerClient: limits.limit('roomsPerClient', 128, 1),
      roomName: limits.limit('roomName', 128, 1),
      upgradeTimeout: limits.limit('upgradeTimeout', 10_000, 1),
      metadataBytes: limits.limit('metadataBytes', 4_096, 2),
      streamsPerClient: limits.limit('streamsPerClient', 32, 1),
      subscriberQueue: limits.limit('subscriberQueue', 65_536, 1),
    })),
    inbound: group(options, 'inbound', (inbound) => ({
      concurrency: inbound.integer('concurrency', 1, 1),
      queue: inbound.integer('queue', 64, 1),
      binary: inbound.boolean('binary', false),
    })),
    timeouts: group(options, 'timeouts', (timeouts) => ({
      hook: timeouts.integer('hook', 10_000, 1),
      handler: timeouts.limit('handler', false, 1),
      call: timeouts.integer('call', 10_000, 1),
      subscriber: timeouts.integer('subscriber', 30_000, 1),
    })),
    compression: resolveCompression(options),
    outbound: Object.freeze(resolveOutbound(options)),
    events: group(options, 'events', resolveEvents),
    subscribers: resolveSubscribers(options),
    routing: group(options, 'routing', (routing) => ({
      globalGuards: routing.boolean('globalGuards', true),
      globalFilters: routing.boolean('globalFilters', true),
    })),
    upgrade: group(options, 'upgrade', (upgrade) => ({
      foreignTimeout: upgrade.limit('foreignTimeout', 10_000, 1),
    })),
    shutdown: group(options, 'shutdown', (shutdown) => ({
      timeout: shutdown.integer('timeout', 10_000, 0),
      reconnectSpread: shutdown.integer('reconnectSpread', 5_000, 0),
    })),
    debug: group(options, 'debug', (debug) => ({ printRoutes: debug.boolean('printRoutes', false) })),
  };
  options.finish(FORMER_OPTIONS);
  checkFirstRooms(resolved);
  return Object.freeze(resolved);
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

function group<T extends object>(options: OptionChecks, name: string, read: (group: OptionChecks) => T): Readonly<T> {
  const checks = options.group(name);
  const resolved = read(checks);
  checks.finish();
  return Object.freeze(resolved);
}

/** Where `pxl.v1` is spoken nobody expects it: PXL knows clients and rooms as two name spaces. */
function resolveOwnRooms(rooms: OptionChecks, protocol: ProtocolName): boolean {
  const own = rooms.boolean('own', false);
  if (own && protocol !== 'event') rooms.refuse('own', "false, except where protocol is 'event'");
  return own;
}

/** @throws PxlWebSocketOptionsError when every client would be refused its own room or one of its default rooms */
function checkFirstRooms({ rooms, limits: { roomName, roomsPerClient } }: ResolvedOptions): void {
  const refuse = (allowed: string, given: number): never => {
    throw new PxlWebSocketOptionsError(`The option rooms.defaults is ${allowed}, not ${given}.`);
  };
  if (rooms.own && roomName !== false && roomName < CLIENT_ID_LENGTH) {
    const least = `The option limits.roomName is at least ${CLIENT_ID_LENGTH} where rooms.own is true`;
    throw new PxlWebSocketOptionsError(`${least}, since clients' ids have so many characters, not ${roomName}.`);
  }
  const longest = Math.max(0, ...rooms.defaults.map((name) => name.length));
  if (roomName !== false && longest > roomName) {
    refuse(`a list of names of at most limits.roomName (${roomName}) characters`, longest);
  }
  const { size } = new Set(rooms.defaults);
  if (roomsPerClient === false || !rooms.clientCanJoinMultipleRooms) return;
  const most = roomsPerClient - Number(rooms.own);
  if (size <= most) return;
  const reason = rooms.own ? `${roomsPerClient}, and rooms.own takes one` : roomsPerClient;
  refuse(`a list of at most limits.roomsPerClient (${reason}) rooms`, size);
}

/** A function, or a class whose method is called like the option; undefined when none was given. */
function resolveRule(rooms: OptionChecks, option: string): unknown {
  const given = rooms.raw(option);
  if (isClassWith(option, given)) return given;
  const allowed = `a function, or a class with a method ${option}`;
  if (isClass(given)) rooms.refuse(option, allowed, lackOf(given, [option]));
  if (given !== undefined && typeof given !== 'function') rooms.refuse(option, allowed);
  return rooms.callback(option);
}

function resolveRate(limits: OptionChecks): Pick<ResolvedOptions['limits'], 'messagesPerSecond' | 'burst'> {
  const messagesPerSecond = limits.limit('messagesPerSecond', false, 1);
  return { messagesPerSecond, burst: limits.integer('burst', 2 * (messagesPerSecond || 1), 1) };
}

const LISTED = ['clientId', 'userId', 'username', 'rooms'];
const LISTABLE = [...LISTED, 'userType', 'roomName', 'connectedAt', 'lastActivity', 'workerId'];

function resolveClientList(list: OptionChecks): ResolvedOptions['clientList'] {
  const fields = list.texts('fields', LISTED);
  const isListable = (field: unknown): field is string =>
    LISTABLE.some((one) => one === field) || /^(?:user\.payload|metadata)\../.test(String(field));
  const allowed = `of ${LISTABLE.join(', ')}, user.payload.<claim> and metadata.<key>`;
  list.every('fields', fields, isListable, allowed, (field) => describeWord(field, LISTABLE));
  return { enabled: list.boolean('enabled', false), fields: Object.freeze([...fields]) };
}

function resolveHeartbeat(options: OptionChecks): ResolvedOptions['heartbeat'] {
  const given = options.raw('heartbeat');
  if (given === false) return null;
  if (given !== undefined && !isGroup(given)) options.refuse('heartbeat', 'an object or false');
  return group(options, 'heartbeat', (heartbeat) => {
    const interval = heartbeat.time('interval', 15_000, 100);
    const timeout = heartbeat.time('timeout', Math.min(10_000, interval), 100);
    if (timeout > interval) heartbeat.refuse('timeout', `at most heartbeat.interval (${interval})`);
    return { interval, timeout };
  });
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
