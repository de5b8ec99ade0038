import { isIP } from 'node:net';
import { Cluster, Redis, type ClusterNode, type ClusterOptions, type RedisOptions } from 'ioredis';
import { isGroup, type OptionChecks } from './checks/option-checks.js';

/** A connection that takes commands: to one Redis, or to a cluster of them. */
export type WsRedisClient = Redis | Cluster;

/** A Redis Cluster: its start-up nodes, or an instance to duplicate. */
export interface WsRedisClusterOption {
  cluster: readonly ClusterNode[] | Cluster;
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
export type WsRedisOption = string | RedisOptions | Redis | Cluster | WsRedisClusterOption;

const ALLOWED =
  "a url like 'redis://localhost:6379', options of ioredis, { cluster: [...] }, or a Redis or Cluster of ioredis";

/**
 * How the connection for the application's own commands fails, unless the application sets it otherwise: in time, and without
 * keeping rejected commands for the next connection. With ioredis' defaults a command waits as long as Redis is away. The
 * library's connections for messages have other settings.
 */
const PROMPT = {
  commandTimeout: 1_200,
  connectTimeout: 1_000,
  // A timer of this length keeps the process alive when the connection is closed while Redis is away.
  disconnectTimeout: 100,
  maxRetriesPerRequest: 0,
  retryStrategy: (attempt: number): number => Math.min(attempt * 50, 200),
};

/** The resolved option `redis`. */
export interface ResolvedRedis {
  /** The client that the library duplicates for each of its connections; it never connects itself. */
  readonly template: Redis | Cluster;
  /** Whether it is the application's own instance, which the application has to close. */
  readonly isGiven: boolean;
  /** Whether rooms travel by sharded pub/sub. */
  readonly isSharded: boolean;
}

/**
 * Resolves the option `redis`; undefined without one.
 *
 * @throws PxlWebSocketOptionsError in one sentence
 */
export function resolveRedis(options: OptionChecks): ResolvedRedis | undefined {
  const given = options.raw('redis');
  if (given === undefined) return undefined;
  if (isInstance(given)) return Object.freeze({ template: given, isGiven: true, isSharded: false });
  if (isGroup(given) && 'cluster' in given) return resolveCluster(options.group('redis'));
  return Object.freeze({ template: createTemplate(options, given), isGiven: false, isSharded: false });
}

function resolveCluster(redis: OptionChecks): ResolvedRedis {
  const cluster = redis.raw('cluster');
  const settings = redis.raw('options') ?? {};
  const isSharded = redis.boolean('sharded', false);
  redis.finish();
  if (!isGroup(settings)) redis.refuse('options', 'an object');
  if (isInstance(cluster) && cluster.isCluster) return Object.freeze({ template: cluster, isGiven: true, isSharded });
  if (!Array.isArray(cluster) || cluster.length === 0) {
    redis.refuse('cluster', 'a list of start-up nodes, or a Cluster of ioredis');
  }
  const template = orRefuse(redis, 'cluster', () => {
    return new Cluster(cluster as ClusterNode[], promptly(settings));
  });
  return Object.freeze({ template, isGiven: false, isSharded });
}

function createTemplate(options: OptionChecks, given: unknown): Redis {
  if (typeof given === 'string') {
    if (!/^(?:rediss?:\/\/|\/)[^/]/.test(given)) options.refuse('redis', ALLOWED, remedyOf(given));
    return orRefuse(options, 'redis', () => nameServer(new Redis(given, { ...PROMPT, lazyConnect: true })));
  }
  // Another library's client would be taken for options without a host, which mean localhost.
  if (!isGroup(given) || 'duplicate' in given) return options.refuse('redis', ALLOWED);
  const { port, host } = given;
  const foreign = FOREIGN.find((name) => given[name] !== undefined);
  if (foreign !== undefined) {
    options.refuse('redis', ALLOWED, `an object with ${foreign}, which ioredis does not read: ${OF_FOREIGN}`);
  }
  if (typeof host === 'string' && host.includes('://')) {
    options.group('redis').refuse('host', 'the name of a host', 'a url: give the url itself as redis');
  }
  if (typeof host === 'string' && /^[^:]*:\d+$/.test(host)) {
    options.group('redis').refuse('host', 'the name of a host', 'one with a port: give that as port');
  }
  if (port !== undefined && !(Number.isInteger(Number(port)) && Number(port) > 0 && Number(port) < 65_536)) {
    options.group('redis').refuse('port', 'a whole number from 1 to 65535');
  }
  return orRefuse(options, 'redis', () => nameServer(new Redis({ ...PROMPT, ...watchful(given), lazyConnect: true })));
}

/** The options of a cluster, with those that make the application's own commands fail in time. */
function promptly({ redisOptions, ...settings }: ClusterOptions): ClusterOptions {
  const { commandTimeout, connectTimeout, disconnectTimeout } = PROMPT;
  const prompt = { commandTimeout, connectTimeout, disconnectTimeout };
  return { ...settings, redisOptions: { ...prompt, ...redisOptions }, lazyConnect: true };
}

/** Without `failoverDetector`, connections to a former master end when Sentinel demotes it, ten seconds later. */
function watchful(given: Record<string, unknown>): Record<string, unknown> {
  return Array.isArray(given.sentinels) ? { ...given, failoverDetector: given.failoverDetector ?? true } : given;
}

/** Whether Sentinel is used without `failoverDetector`, since the application set it so. */
export function isLateAtFailover({ options }: Redis | Cluster): boolean {
  return 'sentinels' in options && Boolean(options.sentinels) && !options.failoverDetector;
}

/** The options in which other libraries have the address. ioredis ignores them and would connect to localhost. */
const FOREIGN = ['url', 'uri', 'socket', 'connection'] as const;
const OF_FOREIGN = "write a url like 'redis://localhost:6379', or { host, port }";

/** The error for a text that is not a url of Redis. It does not repeat the text, which may contain a password. */
function remedyOf(given: string): string | undefined {
  const [, scheme] = /^([a-z][a-z\d+.-]{0,20}):\/\//i.exec(given) ?? [];
  if (given === '' || /^rediss?$/.test(scheme ?? '')) return undefined;
  if (scheme !== undefined) return `a url with the scheme ${scheme}: write redis:// or, with TLS, rediss://`;
  const isAddress = /^(?:localhost|[\w.-]+:\d{1,5})$/.test(given);
  return `a text without a scheme: write 'redis://${isAddress ? given : '<host>:<port>'}'`;
}

/** Creates ioredis' client from the option; its error becomes part of ours. */
function orRefuse<T>(options: OptionChecks, option: string, create: () => T): T {
  try {
    return create();
  } catch (error) {
    return options.refuse(option, ALLOWED, `what ioredis refuses (${(error as Error).message})`);
  }
}

/** Recognises a client by its shape, since the application may have another copy of ioredis. */
function isInstance(given: unknown): given is Redis | Cluster {
  if (!isGroup(given)) return false;
  const { duplicate, connect, status } = given;
  return typeof duplicate === 'function' && typeof connect === 'function' && typeof status === 'string';
}

/**
 * Makes a connection with TLS send the server's name (SNI), as browsers do. Node sends it only when it is set, and a proxy for
 * several servers needs it. A given name is kept, and an IP address is not sent.
 */
export function nameServer<T extends Redis>(redis: T): T {
  const { options } = redis;
  // The url `rediss:` makes it `true`.
  const tls: unknown = options.tls;
  // Of a master that Sentinel names only the address is known.
  if (!tls || options.sentinels || options.path || !options.host || isIP(options.host)) return redis;
  options.tls = { servername: options.host, ...(typeof tls === 'object' ? tls : {}) };
  return redis;
}
