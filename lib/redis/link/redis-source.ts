import type { ClusterNode, Redis } from 'ioredis';
import type { Runtime } from '../../runtime/runtime.js';
import { isCluster } from './redis-client.js';
import { type WsRedisClient, nameServer } from '../../options/redis.options.js';
import { clusterSettings, connectionSettings } from './redis-settings.js';

/** Makes our connections, by what they are for, from what the option `redis` named. None of them connects by itself. */
export class RedisSource {
  #known: ClusterNode[] = [];

  /**
   * @param template never used itself
   * @param name what the connections are called in `CLIENT LIST`, followed by what they are for
   */
  constructor(
    private readonly template: WsRedisClient,
    private readonly name: string,
    private readonly runtime: Runtime,
  ) {}

  /** Nodes of a cluster, of which the next connection for commands learns all others: those of the option may be gone. */
  remember(nodes: readonly Redis[]): void {
    this.#known = nodes.map(({ options: { host, port } }) => ({ host, port }));
  }

  /** A connection for commands. */
  commands(): WsRedisClient {
    const name = `${this.name}:commands`;
    if (!isCluster(this.template)) return trustWhenReady(this.template.duplicate(connectionSettings(name)));
    const cluster = this.template.duplicate(this.#known, clusterSettings(name));
    // Where these lead nowhere either, those of the option are asked again.
    this.#known = [];
    cluster.on('+node', (node: Redis) => catchAsking(trustWhenReady(nameServer(node))));
    return cluster;
  }

  /**
   * A connection for subscriptions. Of a cluster it goes to one of the nodes that `commands` knows: every node forwards
   * every message. The subscriber that ioredis itself would choose hides from us when it fails.
   *
   * @param at the node of a cluster, as its slots call it
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
 * Once a connection is ready, the deadlines of `RedisCommands` bound its commands. Those of ioredis, which are for the time
 * before, would blame Redis when this process itself stood still.
 */
function trustWhenReady(redis: Redis): Redis {
  return redis.once('ready', () => (redis.options.commandTimeout = undefined));
}

/**
 * Where a slot is moving ioredis sends ASKING by itself, and looks at the answer no more: when the connection is lost
 * then, the rejection would end the process.
 */
function catchAsking(node: Redis): void {
  const ask = node.asking.bind(node);
  node.asking = () => {
    const asked = ask();
    asked.catch(() => undefined);
    return asked;
  };
}

/** What the slots of a cluster call the node. */
export function nameOf({ options: { host, port } }: Redis): string {
  return `${host ?? ''}:${port ?? ''}`;
}

/** One of the nodes by chance, so that processes spread; undefined when there is none. */
export function oneOf(nodes: readonly Redis[], runtime: Runtime): Redis | undefined {
  return nodes[Math.floor(runtime.random() * nodes.length)];
}
