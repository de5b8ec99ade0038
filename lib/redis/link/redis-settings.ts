import type { ClusterOptions, RedisOptions } from 'ioredis';

/** Milliseconds to connect, including TLS: a fault is reported within two seconds. */
export const CONNECT_TIMEOUT = 1_800;

/** Settings of every connection to a server, including those that a cluster makes. They replace the application's. */
const SHARED = {
  lazyConnect: true,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  connectTimeout: CONNECT_TIMEOUT,
  // Ends a ready check without an answer.
  commandTimeout: 1_000,
  sentinelCommandTimeout: 1_000,
  disconnectTimeout: 100,
  maxLoadingRetryTime: 500,
  socketTimeout: undefined,
  keyPrefix: '',
  stringNumbers: false,
  replyMapping: 'legacy',
  monitor: false,
  // `WriteBatch` costs less.
  enableAutoPipelining: false,
} as const satisfies RedisOptions;

/** A connection is used once: when it is lost, `RedisConnection` opens another, and ioredis must not reconnect. */
const SINGLE = {
  ...SHARED,
  retryStrategy: null,
  enableOfflineQueue: false,
  readOnly: false,
  himportFieldsets: undefined,
} as const satisfies RedisOptions;

/** The settings of a connection to one server, for commands or for subscriptions. */
export function connectionSettings(connectionName: string): RedisOptions {
  return { ...SINGLE, connectionName };
}

/** The settings of a cluster for commands. */
export function clusterSettings(connectionName: string): ClusterOptions {
  return {
    lazyConnect: true,
    clusterRetryStrategy: () => null,
    clusterNodeRetryStrategy: null,
    // Holds commands for a node that is being connected. The cluster itself never reconnects.
    enableOfflineQueue: true,
    // `WriteBatch` does it.
    enableAutoPipelining: false,
    // Afterwards `RedisCommands` retries, as long as the call has time.
    maxRedirections: 5,
    retryDelayOnMoved: 0,
    retryDelayOnTryAgain: 50,
    // A rejected command must not be sent to another node later.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // Its timer would outlive the cluster.
    slotsRefreshInterval: undefined,
    scaleReads: 'master',
    shardedSubscribers: false,
    keyPrefix: '',
    himportFieldsets: undefined,
    redisOptions: { ...SHARED, connectionName },
  };
}
