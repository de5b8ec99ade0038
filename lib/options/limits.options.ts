import { isGroup, type OptionChecks } from './checks/option-checks.js';

export interface WsLimitOptions {
  /** Bytes of the largest message that a client may send; more closes with 1009. Default: 65 536; event: 131 072. */
  maxPayload?: number | undefined;
  /** Frames that a message may come in; more close with 1008. Default: 128; `false`: as many as ws allows (16 384). */
  fragments?: number | false | undefined;
  /** Bytes that may wait for one client that reads slowly. Default: 1 048 576; `false`: no limit. */
  maxBufferedBytes?: number | false | undefined;
  /**
   * Bytes of the largest message that is sent to a client, for clients with small buffers. The verb that sends a larger one
   * rejects with TOO_LARGE, and nobody gets it; a larger answer becomes that error. Of a message for rooms the largest name
   * and 60 bytes count too, 512 where rooms have history; what encryption adds does not. At least 1 024. Default: false, no limit.
   */
  maxPushBytes?: number | false | undefined;
  /** What happens to a client over its `maxBufferedBytes`. Default: `'disconnect'`. */
  slowConsumer?: WsSlowConsumerPolicy | undefined;
  /**
   * Milliseconds for which a client over its `maxBufferedBytes` may read nothing of what waits. Over eight times
   * `maxBufferedBytes` it has no such time. Default: 5 000.
   */
  slowConsumerGrace?: number | undefined;
  /**
   * Messages that a client may send per second on average. Those beyond are answered RATE_LIMITED; a client that goes on
   * is closed with 4009. Default: false, no limit.
   */
  messagesPerSecond?: number | false | undefined;
  /** Messages that a client may send at once after a silence. Default: twice `messagesPerSecond`. */
  burst?: number | undefined;
  /** Connections to this process, running upgrades included; one more is answered 429. Default: false, no limit. */
  connections?: number | false | undefined;
  /** The same for one address (see `trustProxy`); of IPv6 a /64 counts as one. Default: false, no limit. */
  connectionsPerIp?: number | false | undefined;
  /** Connections of one user; one more is answered 429, or the oldest is closed with 4506. Default: false, no limit. */
  connectionsPerUser?: WsUserConnectionsLimit | false | undefined;
  /**
   * Upgrades that this process takes up per second, and at once after a silence; one more is answered 503 with a time of its
   * own to come back, before it is authenticated. Default: false, no limit.
   */
  acceptsPerSecond?: number | false | undefined;
  /** Upgrades whose authentication runs; one more is answered 429. Default: 1 000; `false`: no limit. */
  pendingUpgrades?: number | false | undefined;
  /** Rooms that a client can be in at once. Default: 128; `false`: no limit. */
  roomsPerClient?: number | false | undefined;
  /** Characters of a room's name. Default: 128; `false`: no limit. */
  roomName?: number | false | undefined;
  /** Milliseconds that an upgrade may take, authentication included; then 503. Default: 10 000; `false`: no limit. */
  upgradeTimeout?: number | false | undefined;
  /**
   * Milliseconds that a connection lasts, a tenth more or less by chance; then it is closed with 1012 once its running messages
   * have been answered (after `shutdown.timeout` at the latest), and its client connects again: so clients come to workers that
   * were started later. At least 1 000. Default: false, no limit.
   */
  connectionLifetime?: number | false | undefined;
  /** Bytes of a client's metadata as JSON, for `ClientManager.updateClient`. Default: 4 096; `false`: no limit. */
  metadataBytes?: number | false | undefined;
  /** Streams that a client may have open at once. Default: 32; `false`: no limit. */
  streamsPerClient?: number | false | undefined;
  /**
   * Events that may wait for one subscriber that is slower than they come; further ones are dropped for it and counted.
   * Default: 65 536; `false`: no limit.
   */
  subscriberQueue?: number | false | undefined;
}

/** The limits that endpoints may have of their own: those of single connections. All others count what endpoints share. */
export type WsEndpointLimitOptions = Pick<WsLimitOptions, (typeof ENDPOINT_LIMITS)[number]>;

export const ENDPOINT_LIMITS = [
  'maxPayload',
  'fragments',
  'messagesPerSecond',
  'burst',
  'roomsPerClient',
  'roomName',
  'upgradeTimeout',
  'connectionLifetime',
  'streamsPerClient',
] as const satisfies readonly (keyof WsLimitOptions)[];

/** How many connections a user may have, and whether one too many is refused or takes the oldest one's place. */
export interface WsUserConnectionsLimit {
  max: number;
  /** Default: `'refuse'`. */
  onExceed?: 'refuse' | 'replaceOldest' | undefined;
}

/**
 * `disconnect`: the client is closed with 4008, and cut when it does not read that. `drop`: new messages are dropped until
 * it has caught up. `dropOldest`: of the messages sent with `volatile: true` the oldest are dropped, all others wait; the
 * client is closed when eight times `maxBufferedBytes` wait.
 */
export type WsSlowConsumerPolicy = 'disconnect' | 'drop' | 'dropOldest';

export interface ResolvedLimits {
  readonly maxPayload: number;
  readonly fragments: number | false;
  readonly maxBufferedBytes: number | false;
  readonly maxPushBytes: number | false;
  readonly slowConsumer: WsSlowConsumerPolicy;
  readonly slowConsumerGrace: number;
  readonly messagesPerSecond: number | false;
  readonly burst: number;
  readonly connections: number | false;
  readonly connectionsPerIp: number | false;
  readonly connectionsPerUser: WsUserConnectionsLimit | false;
  readonly acceptsPerSecond: number | false;
  readonly pendingUpgrades: number | false;
  readonly roomsPerClient: number | false;
  readonly roomName: number | false;
  readonly upgradeTimeout: number | false;
  readonly connectionLifetime: number | false;
  readonly metadataBytes: number | false;
  readonly streamsPerClient: number | false;
  readonly subscriberQueue: number | false;
}

/** @param maxPayload the default of that limit, in bytes */
export function resolveLimits(limits: OptionChecks, maxPayload: number): ResolvedLimits {
  return {
    maxPayload: limits.integer('maxPayload', maxPayload, 1),
    fragments: limits.limit('fragments', 128, 1),
    maxBufferedBytes: limits.limit('maxBufferedBytes', 1_048_576, 1),
    maxPushBytes: resolvePushBytes(limits),
    slowConsumer: limits.oneOf('slowConsumer', ['disconnect', 'drop', 'dropOldest']),
    slowConsumerGrace: limits.integer('slowConsumerGrace', 5_000, 0),
    ...resolveRate(limits),
    connections: limits.limit('connections', false, 1),
    connectionsPerIp: limits.limit('connectionsPerIp', false, 1),
    connectionsPerUser: resolveUserConnections(limits),
    acceptsPerSecond: limits.limit('acceptsPerSecond', false, 1),
    pendingUpgrades: limits.limit('pendingUpgrades', 1_000, 1),
    roomsPerClient: limits.limit('roomsPerClient', 128, 1),
    roomName: limits.limit('roomName', 128, 1),
    upgradeTimeout: limits.limit('upgradeTimeout', 10_000, 1),
    connectionLifetime: limits.limit('connectionLifetime', false, 1_000),
    metadataBytes: limits.limit('metadataBytes', 4_096, 2),
    streamsPerClient: limits.limit('streamsPerClient', 32, 1),
    subscriberQueue: limits.limit('subscriberQueue', 65_536, 1),
  };
}

/** Below that not even the library's own messages would fit. */
const LEAST_PUSH = 1_024;

export function resolvePushBytes(limits: OptionChecks): number | false {
  return limits.limit('maxPushBytes', false, LEAST_PUSH);
}

function resolveRate(limits: OptionChecks): Pick<ResolvedLimits, 'messagesPerSecond' | 'burst'> {
  const messagesPerSecond = limits.limit('messagesPerSecond', false, 1);
  return { messagesPerSecond, burst: limits.integer('burst', 2 * (messagesPerSecond || 1), 1) };
}

function resolveUserConnections(limits: OptionChecks): WsUserConnectionsLimit | false {
  const given = limits.raw('connectionsPerUser');
  if (given === undefined || given === false) return false;
  if (!isGroup(given)) limits.refuse('connectionsPerUser', "{ max, onExceed: 'refuse' | 'replaceOldest' } or false");
  return limits.inGroup('connectionsPerUser', (limit) => {
    if (given.max === undefined) limit.refuse('max', 'a whole number from 1');
    return { max: limit.integer('max', 1, 1), onExceed: limit.oneOf('onExceed', ['refuse', 'replaceOldest']) };
  });
}
