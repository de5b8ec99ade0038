import type { Cluster, Redis } from 'ioredis';
import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** Milliseconds between two looks at the nodes of a cluster. */
const LOOK = 500;
/** The same while slots move. */
const LOOK_AT_MOVES = 100;
/** Milliseconds after a slot has moved for which others may follow. */
const MOVES = 10_000;
/** Milliseconds after which the slots are read although nothing seems to have changed. */
const READ = 5_000;

/**
 * Notices when nodes of a cluster come, go, or lose their last slot. ioredis does not: it learns of a change by commands
 * that are sent elsewhere, and PUBLISH is taken by every node, even by one that was removed from the cluster.
 */
export class ClusterWatch {
  #client: Cluster | null = null;
  #timer: RuntimeTimer | null = null;
  /** What each node has told last. */
  #told = new WeakMap<Redis, string>();
  /** Those that have not answered yet. */
  readonly #asked = new Set<Redis>();
  #readAt = 0;
  #movedAt = -Infinity;

  /**
   * @param read hears each time that the slots have been read. Returns whether some have moved
   * @param isDraining whether the node may be on its way out of the cluster
   */
  constructor(
    private readonly read: (client: Cluster) => boolean,
    private readonly isDraining: (node: Redis) => boolean,
    private readonly runtime: Runtime,
  ) {}

  /** The connection for commands is a new one. */
  follow(client: Cluster): void {
    this.#client = client;
    this.#asked.clear();
    askOnly(client, (node) => !this.isDraining(node));
    client.on('refresh', () => {
      if (client === this.#client) this.#take(client);
    });
    this.#take(client);
    this.#lookLater();
  }

  stop(): void {
    this.#client = null;
    this.#timer?.cancel();
  }

  #take(client: Cluster): void {
    this.#readAt = this.runtime.monotonic();
    if (this.read(client)) this.#movedAt = this.#readAt;
  }

  #lookLater(): void {
    this.#timer?.cancel();
    const areMoving = this.runtime.monotonic() - this.#movedAt < MOVES;
    this.#timer = this.runtime.timeout(areMoving ? LOOK_AT_MOVES : LOOK, () => {
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
    // One that is silent is the business of those who need it.
    if (node.status !== 'ready' || this.#asked.has(node)) return;
    this.#asked.add(node);
    const told = await node.cluster('INFO').then(signsIn, () => null);
    this.#asked.delete(node);
    const before = this.#told.get(node);
    if (client !== this.#client || told === null || told === before) return;
    this.#told.set(node, told);
    // It was removed from the cluster, and is on its own.
    if (told.includes('known_nodes:1,') && client.nodes().length > 1) node.disconnect();
    if (before !== undefined) client.refreshSlotsCache();
  }
}

/**
 * Lets ioredis ask only some of the nodes which slots there are: it believes whichever node it asks, and one that was
 * removed from the cluster knows of none, so that ioredis would close all connections. There is no option for it. Another
 * version of ioredis that has not this method asks all of them.
 */
function askOnly(client: Cluster, mayAsk: (node: Redis) => boolean): void {
  const ask: unknown = Reflect.get(client, 'getInfoFromNode');
  if (typeof ask !== 'function') return;
  Reflect.set(client, 'getInfoFromNode', (node: Redis, done: (error?: Error) => void): void => {
    if (mayAsk(node) || !client.nodes().some(mayAsk)) Reflect.apply(ask, client, [node, done]);
    else done(new Error('The node may be on its way out of the cluster.'));
  });
}

/** Of what `CLUSTER INFO` tells that which changes with the nodes, and not by itself. */
function signsIn(info: unknown): string | null {
  if (typeof info !== 'string') return null;
  const signs = info.match(/^cluster_(?:state|slots_assigned|known_nodes|size|current_epoch):\w+/gm) ?? [];
  return signs.map((sign) => `${sign},`).join('');
}
