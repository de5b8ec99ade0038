import type { Cluster, ClusterNode, ClusterOptions, Redis, RedisOptions } from 'ioredis';

/** A Redis Cluster: its start-up nodes, or an instance to duplicate. */
export interface RedisClusterOption {
  cluster: ClusterNode[] | Cluster;
  /** ioredis' own options, beside start-up nodes. */
  options?: ClusterOptions | undefined;
  /**
   * True: rooms travel by sharded pub/sub (Redis 7), so that each message stays on one shard. Every worker and emitter of
   * a prefix needs the same. Default: false, every node of the cluster forwards every message.
   */
  sharded?: boolean | undefined;
}

/**
 * Where Redis is: a url (`redis://`, `rediss://`), ioredis' options (with `sentinels` too), a cluster, or an instance. An
 * instance is duplicated, never used itself, and stays the application's to close.
 */
export type RedisOption = string | RedisOptions | Redis | Cluster | RedisClusterOption;
