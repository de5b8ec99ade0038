import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { chunksOf } from '../../lib/runtime/chunks.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from './redis-server.js';
import { freePort } from './free-port.js';

const SLOTS = 16_384;
const NODES = 3;
/** Milliseconds that nodes may take to agree, on a machine that is busy. */
const PATIENCE = 60_000;
/** Milliseconds between two questions whether they have met: nodes tell each other ten times a second. */
const PAUSE = 100;
/** Two nodes go on without the third, and a node without slots stays a master. */
const SETTINGS = [
  // As usual. A node that is silent for half of that, as on a busy machine, is connected to anew, and what is published until then
  // is lost.
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '15000'],
  // A replica is there at once, not five seconds later.
  ...['--repl-diskless-sync-delay', '0'],
  ...['--cluster-require-full-coverage', 'no', '--cluster-allow-replica-migration', 'no'],
];

/** How a cluster is made. */
export interface RedisClusterOptions {
  /** Takes the place of our usual settings of a node, where it names the same ones. */
  readonly settings?: readonly string[];
  /** Nodes without slots, behind the others. One that is there from the beginning costs less time than one that is added. */
  readonly spares?: number;
}

/** A Redis Cluster of three masters, each serving a third of the slots, which may get other nodes and lose them. */
export class RedisCluster {
  readonly #busPorts = new Map<RedisServer, number>();
  /** Its members: those that were removed are no part of it any more. */
  readonly #members: RedisServer[] = [];

  private constructor(
    /** All that were ever part of it. */
    readonly nodes: RedisServer[],
    private readonly settings: readonly string[],
  ) {}

  static async start({ settings = [], spares = 0 }: RedisClusterOptions = {}): Promise<RedisCluster> {
    const cluster = new RedisCluster([], [...SETTINGS, ...settings]);
    await Promise.all(Array.from({ length: NODES + spares }, () => cluster.#startNode()));
    for (const [at, node] of cluster.nodes.slice(0, NODES).entries()) {
      const [from, to] = [Math.ceil((at * SLOTS) / NODES), Math.ceil(((at + 1) * SLOTS) / NODES) - 1];
      await node.command('CLUSTER', 'ADDSLOTSRANGE', from, to);
      await node.command('CLUSTER', 'SET-CONFIG-EPOCH', at + 1);
    }
    await cluster.#meet();
    return cluster;
  }

  /** Its members as start-up nodes, as the option `redis: { cluster }` takes them. */
  get startupNodes(): { host: string; port: number }[] {
    return this.#members.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  /** Adds a node without slots; resolves with its number once all know it. */
  async add(): Promise<number> {
    const node = await this.#startNode();
    await this.#meet();
    return this.nodes.indexOf(node);
  }

  /** Makes a node the replica of another one. */
  async replicate(node: number, master: number): Promise<void> {
    const id = await this.id(master);
    await this.nodes[node]!.command('CLUSTER', 'REPLICATE', id);
    await this.#tells(this.nodes[node]!, 'replication', 'master_link_status:up');
  }

  /** A manual failover: the replica takes its master's place, in order; resolves once both know it. */
  async failOver(replica: number): Promise<void> {
    const node = this.nodes[replica]!;
    const [, port] = /master_port:(\d+)/.exec(await node.command<string>('INFO', 'replication')) ?? [];
    const master = this.nodes.find((one) => String(one.port) === port);
    // It is refused, or comes to nothing, while the replica has not caught up.
    let asked = -Infinity;
    const isMaster = async (): Promise<boolean> => {
      if ((await node.command<string>('INFO', 'replication')).includes('role:master')) return true;
      if (performance.now() - asked < 2_000) return false;
      asked = performance.now();
      await node.command('CLUSTER', 'FAILOVER').catch(() => undefined);
      return false;
    };
    await eventually('the replica is the master', isMaster, PATIENCE);
    if (master) await this.#tells(master, 'replication', 'role:slave');
  }

  /**
   * Removes a node without slots, as `redis-cli --cluster del-node` does: the others forget it, and it forgets them. Its
   * process goes on.
   */
  async remove(node: number): Promise<void> {
    const id = await this.id(node);
    const server = this.nodes[node]!;
    this.#members.splice(this.#members.indexOf(server), 1);
    for (const other of this.#members) await other.command('CLUSTER', 'FORGET', id);
    await server.command('CLUSTER', 'RESET', 'SOFT');
  }

  /** Moves slots that hold no keys to a node, whoever has them; resolves once all masters agree about it. */
  async move(slots: readonly number[], to: number): Promise<void> {
    const id = await this.id(to);
    let asked = -Infinity;
    const haveMoved = async (): Promise<boolean> => {
      if (performance.now() - asked < 1_000) return this.#agree(slots, to);
      if (!(await this.#knowEpochs())) return false;
      asked = performance.now();
      // With the newest epoch it wins over what the others still tell each other. A slot always has an owner.
      await this.nodes[to]!.command('CLUSTER', 'BUMPEPOCH');
      const others = (await this.#masters()).filter((node) => node !== this.nodes[to]);
      for (const node of [this.nodes[to]!, ...others]) {
        await node.commands(slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, 'NODE', id]));
      }
      return this.#agree(slots, to);
    };
    await eventually('the slots have moved', haveMoved, PATIENCE);
  }

  /** Moves slots with their keys, one after the other, step by step as `redis-cli --cluster reshard` does. */
  async reshard(slots: readonly number[], from: number, to: number): Promise<void> {
    await this.#migrating(from, to, async (slot) => {
      for (const one of slots) {
        await slot.begin(one);
        await slot.moveKeys(one);
        await slot.end(one);
      }
    });
  }

  /** The same, some slots at a time, which is much faster. More of them would hold up the nodes. */
  async reshardQuickly(slots: readonly number[], from: number, to: number): Promise<void> {
    await this.#migrating(from, to, async (slot) => {
      for (const some of chunksOf(slots, 50)) {
        await Promise.all(some.map((one) => slot.begin(one)));
        await Promise.all(some.map((one) => slot.moveKeys(one)));
        await Promise.all(some.map((one) => slot.end(one)));
      }
    });
  }

  /** Begins to move slots, and moves no key: a half-moved slot. Resolves with what moves the keys and ends it. */
  async halfMove(slots: readonly number[], from: number, to: number): Promise<() => Promise<void>> {
    await this.#migrating(from, to, async (slot) => {
      for (const one of slots) await slot.begin(one);
    });
    return () =>
      this.#migrating(from, to, async (slot) => {
        for (const one of slots) {
          await slot.moveKeys(one);
          await slot.end(one);
        }
      });
  }

  /** Resolves once no client whose name begins so is connected to the node. */
  async deserted(node: number, name: string): Promise<void> {
    const server = this.nodes[node]!;
    const isDeserted = async (): Promise<boolean> =>
      !(await server.command<string>('CLIENT', 'LIST')).includes(` name=${name}`);
    await eventually('the node is deserted', isDeserted, PATIENCE);
  }

  /** The slots that a node serves, by its own account or by another one's. */
  async slotsOf(node: number, account = this.nodes[node]!): Promise<number[]> {
    const { port } = this.nodes[node]!;
    const ranges = await account.command<[number, number, [string, number]][]>('CLUSTER', 'SLOTS');
    return ranges
      .filter(([, , [, master]]) => master === port)
      .flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at));
  }

  id(node: number): Promise<string> {
    return this.nodes[node]!.command<string>('CLUSTER', 'MYID');
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async #startNode(): Promise<RedisServer> {
    const [node, busPort] = await this.#startOnFreePorts();
    this.#busPorts.set(node, busPort);
    this.nodes.push(node);
    this.#members.push(node);
    return node;
  }

  async #startOnFreePorts(attempts = 3): Promise<[RedisServer, busPort: number]> {
    const busPort = await freePort();
    try {
      return [await RedisServer.start(...this.settings, '--cluster-port', String(busPort)), busPort];
    } catch (error) {
      // Somebody else may have taken the port of the bus meanwhile.
      if (attempts === 1) throw error;
      return this.#startOnFreePorts(attempts - 1);
    }
  }

  /** Until every node knows the others and finds all slots served. */
  async whole(): Promise<void> {
    await eventually('the cluster is whole', () => this.#isWhole(), PATIENCE);
  }

  async #tells(node: RedisServer, section: string, sign: string): Promise<void> {
    const isTold = async (): Promise<boolean> => (await node.command<string>('INFO', section)).includes(sign);
    await eventually(sign, isTold, PATIENCE);
  }

  async #meet(): Promise<void> {
    const [first, ...others] = this.#members;
    // On a busy machine a node may be met too late, and forgotten.
    let met = -Infinity;
    const haveMet = async (): Promise<boolean> => {
      if (await this.#isWhole()) return true;
      if (performance.now() - met < 3_000) return setTimeout(PAUSE, false);
      met = performance.now();
      // A node that is met although it is known closes the link that it has, and what was published meanwhile is lost.
      const known = await first!.command<string>('CLUSTER', 'NODES');
      for (const node of others.filter(({ port }) => !known.includes(`:${port}@`))) {
        await first!.command('CLUSTER', 'MEET', '127.0.0.1', node.port, this.#busPorts.get(node)!);
      }
      return false;
    };
    await eventually('the nodes have met', haveMet, PATIENCE);
  }

  async #isWhole(): Promise<boolean> {
    const signs = ['cluster_state:ok', `cluster_known_nodes:${this.#members.length}`, `cluster_slots_ok:${SLOTS}`];
    for (const node of this.#members) {
      const info = await node.command<string>('CLUSTER', 'INFO');
      if (!signs.every((sign) => info.includes(sign))) return false;
    }
    return true;
  }

  /** Whether all masters say that the node serves the slots. */
  async #agree(slots: readonly number[], node: number): Promise<boolean> {
    for (const master of await this.#masters()) {
      const served = new Set(await this.slotsOf(node, master));
      if (!slots.every((slot) => served.has(slot))) return false;
    }
    return true;
  }

  /**
   * Whether all know the newest epoch, and no two masters have the same one: then the next is newer than any, also after a
   * node was away.
   */
  async #knowEpochs(): Promise<boolean> {
    const told = await Promise.all((await this.#masters()).map((node) => node.command<string>('CLUSTER', 'INFO')));
    const of = (name: string): Set<string | undefined> =>
      new Set(told.map((info) => new RegExp(`${name}:(\\d+)`).exec(info)?.[1]));
    return of('cluster_current_epoch').size === 1 && of('cluster_my_epoch').size === told.length;
  }

  /** The members that are no replicas. */
  async #masters(): Promise<RedisServer[]> {
    const roles = await Promise.all(this.#members.map((node) => node.command<string>('INFO', 'replication')));
    return this.#members.filter((_, at) => roles[at]!.includes('role:master'));
  }

  async #migrating(from: number, to: number, work: (slot: SlotSteps) => Promise<void>): Promise<void> {
    const [source, target] = [this.nodes[from]!, this.nodes[to]!];
    const others = (await this.#masters()).filter((node) => node !== source && node !== target);
    const ids = { source: await this.id(from), target: await this.id(to) };
    const connections = [source, target, ...others].map(({ port }) => new Redis(port, '127.0.0.1'));
    try {
      await work(slotSteps(connections, ids, target.port));
    } finally {
      for (const connection of connections) connection.disconnect();
    }
  }
}

/** The steps in which a slot moves. */
interface SlotSteps {
  begin(slot: number): Promise<void>;
  moveKeys(slot: number): Promise<void>;
  end(slot: number): Promise<void>;
}

/** @param connections to the source, the target, and all other nodes */
function slotSteps(connections: readonly Redis[], ids: { source: string; target: string }, port: number): SlotSteps {
  const [source, target, ...others] = connections as [Redis, Redis, ...Redis[]];
  return {
    async begin(slot) {
      await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids.source);
      await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids.target);
    },
    async moveKeys(slot) {
      for (;;) {
        const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[];
        if (keys.length === 0) return;
        await source.call('MIGRATE', '127.0.0.1', port, '', 0, 5_000, 'KEYS', ...keys);
      }
    },
    async end(slot) {
      for (const node of [target, source]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids.target);
      // They would hear of it anyway, and one that is just becoming a replica refuses it.
      const told = others.map((node) => node.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids.target));
      await Promise.allSettled(told);
    },
  };
}
