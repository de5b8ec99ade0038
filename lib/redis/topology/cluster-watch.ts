import type { Cluster, Redis } from 'ioredis';
import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';
import { nameOf } from '../link/redis-source.js';
import type { SlotMap } from './slot-map.js';

/** Milliseconds between two looks at the nodes of a cluster. */
const LOOK = 500;
/** The same while slots are moving. */
const LOOK_WHILE_MOVING = 100;
/** Milliseconds after a slot has moved during which others are expected to follow. */
const MOVING = 10_000;
/** Milliseconds after which the slots are read although nothing seems to have changed. */
const READ = 5_000;

/**
 * Keeps the slot map up to date: notices when nodes of a Redis Cluster come, go, or lose their last slot. ioredis learns of a
 * change only when a command is redirected, and every node takes PUBLISH, even one that was removed from the cluster.
 */
export class ClusterWatch {
  #client: Cluster | null = null;
  #timer: RuntimeTimer | null = null;
  /** The last answer of each node. */
  #answers = new WeakMap<Redis, string>();
  /** The nodes that have not answered yet. */
  readonly #asked = new Set<Redis>();
  #readAt = 0;
  #movedAt = -Infinity;

  /** @param changed called each time the slots were read, with {@link steadyNodes} */
  constructor(
    private readonly slots: SlotMap,
    private readonly changed: (steady: readonly Redis[]) => void,
    private readonly runtime: Runtime,
  ) {}

  /** Watches the cluster of a new connection for commands. */
  follow(client: Cluster): void {
    this.#client = client;
    this.#asked.clear();
    askOnly(client, (node) => !this.slots.isDraining(nameOf(node)));
    client.on('refresh', () => {
      if (client === this.#client) this.#readSlots(client);
    });
    this.#readSlots(client);
    this.#lookLater();
  }

  stop(): void {
    this.#client = null;
    this.#timer?.cancel();
  }

  #readSlots(client: Cluster): void {
    this.#readAt = this.runtime.monotonic();
    if (this.slots.learn(client.slots)) this.#movedAt = this.#readAt;
    this.changed(steadyNodes(client, this.slots));
  }

  #lookLater(): void {
    this.#timer?.cancel();
    const areMoving = this.runtime.monotonic() - this.#movedAt < MOVING;
    this.#timer = this.runtime.timeout(areMoving ? LOOK_WHILE_MOVING : LOOK, () => {
      if (this.#client) this.#look(this.#client);
      this.#lookLater();
    });
  }

  #look(client: Cluster): void {
    if (client.status !== 'ready') return;
    for (const node of client.nodes()) void this.#ask(client, node);
    if (this.runtime.monotonic() - this.#readAt > READ) client.refreshSlotsCache();
  }

  async #ask(client: Cluster, node: Redis): Promise<void> {
    // A silent node is noticed by the commands and subscriptions that need it.
    if (node.status !== 'ready' || this.#asked.has(node)) return;
    this.#asked.add(node);
    const answer = await node.cluster('INFO').then(signsIn, () => null);
    this.#asked.delete(node);
    const before = this.#answers.get(node);
    if (client !== this.#client || answer === null || answer === before) return;
    this.#answers.set(node, answer);
    // The node knows no other node: it was removed from the cluster.
    if (answer.includes('known_nodes:1,') && client.nodes().length > 1) node.disconnect();
    if (before !== undefined) client.refreshSlotsCache();
  }
}

/** The masters that do not seem to be leaving the cluster; all masters if there are no others. */
export function steadyNodes(cluster: Cluster, slots: SlotMap): Redis[] {
  const masters = cluster.nodes('master');
  const steady = masters.filter((node) => !slots.isDraining(nameOf(node)));
  return steady.length > 0 ? steady : masters;
}

/**
 * Restricts which nodes ioredis asks for the slots. It believes whichever node it asks; one that was removed from the cluster
 * knows of no slots, and ioredis would close all connections. There is no option for it, so a method of ioredis is replaced;
 * a version of ioredis without this method asks all nodes.
 */
function askOnly(client: Cluster, mayAsk: (node: Redis) => boolean): void {
  const ask: unknown = Reflect.get(client, 'getInfoFromNode');
  if (typeof ask !== 'function') return;
  Reflect.set(client, 'getInfoFromNode', (node: Redis, done: (error?: Error) => void): void => {
    if (mayAsk(node) || !client.nodes().some(mayAsk)) Reflect.apply(ask, client, [node, done]);
    else done(new Error('The node may be on its way out of the cluster.'));
  });
}

/** The fields of `CLUSTER INFO` that change when nodes or slots change, and only then. */
function signsIn(info: unknown): string | null {
  if (typeof info !== 'string') return null;
  const signs = info.match(/^cluster_(?:state|slots_assigned|known_nodes|size|current_epoch):\w+/gm) ?? [];
  return signs.map((sign) => `${sign},`).join('');
}
