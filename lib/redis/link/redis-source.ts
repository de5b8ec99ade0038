import type { ClusterNode, Redis } from 'ioredis';
import type { Runtime } from '../../runtime/runtime.js';
import { isCluster } from './redis-client.js';
import { type WsRedisClient, nameServer } from '../../options/redis.options.js';
import { clusterSettings, connectionSettings } from './redis-settings.js';

/** Makes the connections of a link from the option `redis`. They are not opened yet. */
export class RedisSource {
  #known: ClusterNode[] = [];

  /**
   * @param template the client that is duplicated, and never used itself
   * @param name begins the names of the connections in `CLIENT LIST`
   */
  constructor(
    private readonly template: WsRedisClient,
    private readonly name: string,
    private readonly runtime: Runtime,
  ) {}

  /** Remembers nodes of a cluster as start-up nodes for the next connection: those of the option may be gone. */
  remember(nodes: readonly Redis[]): void {
    this.#known = nodes.map(({ options: { host, port } }) => ({ host, port }));
  }

  /** A connection for commands. */
  commands(): WsRedisClient {
    const name = `${this.name}:commands`;
    if (!isCluster(this.template)) return endTimeoutsWhenReady(this.template.duplicate(connectionSettings(name)));
    const cluster = this.template.duplicate(this.#known, clusterSettings(name));
    // If these cannot be reached either, the next attempt uses those of the option again.
    this.#known = [];
    cluster.on('+node', (node: Redis) => catchAskingErrors(endTimeoutsWhenReady(nameServer(node))));
    return cluster;
  }

  /**
   * A connection for subscriptions. In a cluster it goes to one of the nodes that `commands` knows, since every node forwards
   * every message. ioredis' own subscriber of a cluster does not report when it fails.
   *
   * @param at the node of a cluster, `host:port` as in the slots
   * @returns null while no such node is known
   */
  subscriber(commands: WsRedisClient | null, at?: string): Redis | null {
    const settings = connectionSettings(`${this.name}:subscriber`);
    if (!isCluster(this.template)) return this.template.duplicate(settings);
    const masters = commands && isCluster(commands) ? commands.nodes('master') : [];
    return masters.find((node) => nameOf(node) === at)?.duplicate(settings) ?? null;
  }
}

/**
 * Turns off ioredis' time limit once the connection is ready. From then on `RedisCommands` limits its commands, without
 * blaming Redis when this process stood still.
 */
function endTimeoutsWhenReady(redis: Redis): Redis {
  return redis.once('ready', () => (redis.options.commandTimeout = undefined));
}

/**
 * While a slot is moving ioredis sends ASKING by itself and ignores the promise. When the connection is lost, its rejection
 * would end the process.
 */
function catchAskingErrors(node: Redis): void {
  const ask = node.asking.bind(node);
  node.asking = () => {
    const asked = ask();
    asked.catch(() => undefined);
    return asked;
  };
}

/** The name of a node in the slots of a cluster. */
export function nameOf({ options: { host, port } }: Redis): string {
  return `${host ?? ''}:${port ?? ''}`;
}

/** A random node, so that processes spread over the nodes; undefined when there is none. */
export function oneOf(nodes: readonly Redis[], runtime: Runtime): Redis | undefined {
  return nodes[Math.floor(runtime.random() * nodes.length)];
}
