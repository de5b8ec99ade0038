import { RedisServer } from './redis-server.js';
import { freePort } from './free-port.js';

const SLOTS = 16_384;
const NODES = 3;
/** Two nodes go on without the third, and a node without slots stays a master. */
const SETTINGS = [
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'],
  ...['--cluster-require-full-coverage', 'no', '--cluster-allow-replica-migration', 'no'],
];

/** A Redis Cluster of three nodes, each serving a third of the slots. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  static async start(): Promise<RedisCluster> {
    const busPorts = [await freePort(), await freePort(), await freePort()];
    const nodes = await Promise.all(
      busPorts.map((port) => RedisServer.start(...SETTINGS, '--cluster-port', String(port))),
    );
    const [first] = nodes;
    for (const [at, node] of nodes.entries()) {
      const [from, to] = [Math.ceil((at * SLOTS) / NODES), Math.ceil(((at + 1) * SLOTS) / NODES) - 1];
      await node.command('CLUSTER', 'ADDSLOTSRANGE', from, to);
      await node.command('CLUSTER', 'SET-CONFIG-EPOCH', at + 1);
    }
    const cluster = new RedisCluster(nodes);
    // On a busy machine a node may be met too late, and forgotten.
    for (let met = -Infinity; !(await cluster.isWhole());) {
      if (performance.now() - met < 3_000) continue;
      met = performance.now();
      for (const [at, node] of nodes.entries()) {
        if (node !== first) await first!.command('CLUSTER', 'MEET', '127.0.0.1', node.port, busPorts[at]!);
      }
    }
    return cluster;
  }

  /** Start-up nodes, as the option `redis: { cluster }` takes them. */
  get startupNodes(): { host: string; port: number }[] {
    return this.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  /** Moves slots that hold no keys to a node, whoever has them. */
  async move(slots: readonly number[], to: number): Promise<void> {
    const id = await this.nodes[to]!.command<string>('CLUSTER', 'MYID');
    // With the newest epoch it wins over what the others still tell each other. A slot always has an owner.
    await this.nodes[to]!.command('CLUSTER', 'BUMPEPOCH');
    const others = this.nodes.filter((_, at) => at !== to);
    for (const node of [this.nodes[to]!, ...others]) {
      await node.commands(slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, 'NODE', id]));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  /** Until every node knows the others and finds all slots served; each question is a round trip. */
  async whole(): Promise<void> {
    while (!(await this.isWhole()));
  }

  private async isWhole(): Promise<boolean> {
    for (const node of this.nodes) if (!(await isWhole(node))) return false;
    return true;
  }
}

async function isWhole(node: RedisServer): Promise<boolean> {
  const info = await node.command<string>('CLUSTER', 'INFO');
  const signs = ['cluster_state:ok', `cluster_known_nodes:${NODES}`, `cluster_slots_ok:${SLOTS}`];
  return signs.every((sign) => info.includes(sign));
}
