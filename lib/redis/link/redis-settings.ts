import type { ClusterOptions, RedisOptions } from 'ioredis';

/** Milliseconds for a connection, with its TLS: a fault of it is told within two seconds. */
export const CONNECT_TIMEOUT = 1_800;

/** What is forced on every connection to a server, and on those that a cluster makes for itself. */
const SHARED = {
  lazyConnect: true,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  connectTimeout: CONNECT_TIMEOUT,
  // Ends a ready check that gets no answer.
  commandTimeout: 1_000,
  sentinelCommandTimeout: 1_000,
  disconnectTimeout: 100,
  maxLoadingRetryTime: 500,
  socketTimeout: undefined,
  keyPrefix: '',
  stringNumbers: false,
  replyMapping: 'legacy',
  monitor: false,
  // `WriteBatch` does it for less.
  enableAutoPipelining: false,
} as const satisfies RedisOptions;

/** A connection is used once: when it is lost, `RedisConnection` opens another. ioredis may bring nothing back. */
const SINGLE = {
  ...SHARED,
  retryStrategy: null,
  enableOfflineQueue: false,
  readOnly: false,
  himportFieldsets: undefined,
} as const satisfies RedisOptions;

/** What is forced on a connection to one server: for commands, or to hear messages. */
export function connectionSettings(connectionName: string): RedisOptions {
  return { ...SINGLE, connectionName };
}

/** What is forced on a cluster that takes commands. */
export function clusterSettings(connectionName: string): ClusterOptions {
  return {
    lazyConnect: true,
    clusterRetryStrategy: () => null,
    clusterNodeRetryStrategy: null,
    // Holds commands for a node that is just being connected; the cluster itself is never connected again.
    enableOfflineQueue: true,
    // `WriteBatch` does it.
    enableAutoPipelining: false,
    // `RedisCommands` goes on from there, as long as a call has time.
    maxRedirections: 5,
    retryDelayOnMoved: 0,
    retryDelayOnTryAgain: 50,
    // What was rejected must not be sent to another node later.
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
