import type { PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { TestCluster, type ClusterNode } from '../test-cluster.js';

/** Milliseconds after which a silent worker is dead: short, since stories wait for it. */
export const LEASE = 1_000;

/** Milliseconds over which a stopped worker's clients come to the others. */
export const RECONNECT_SPREAD = 200;

/** Three workers in processes of their own, and a Redis, whose rooms show who is in them. */
export class PresenceFleet {
  #changes: Promise<unknown> = Promise.resolve();

  private constructor(readonly cluster: TestCluster) {}

  static async start(options: PxlWebSocketModuleOptions = {}): Promise<PresenceFleet> {
    const cluster = { lease: LEASE, probe: LEASE / 4 };
    const shutdown = { reconnectSpread: RECONNECT_SPREAD };
    const given = { heartbeat: false, shutdown, ...options, cluster: { ...cluster, ...options.cluster } } as const;
    return new PresenceFleet(await TestCluster.start({ options: given, program: 'presence-worker' }));
  }

  /** The workers that live. */
  get nodes(): readonly ClusterNode[] {
    return this.cluster.nodes;
  }

  /** Ends a worker, and starts another one, before that or after. */
  replace(node: ClusterNode, how: 'stop' | 'kill', isFirst = true): Promise<void> {
    const work = this.#changes.then(() => this.#replace(node, how, isFirst));
    this.#changes = work.catch(() => undefined);
    return work;
  }

  heal(): void {
    for (const { worker, proxy } of this.nodes) {
      worker.thaw();
      proxy.heal();
    }
  }

  async close(): Promise<void> {
    this.heal();
    await this.#changes;
    await this.cluster.close();
  }

  async #replace(node: ClusterNode, how: 'stop' | 'kill', isFirst: boolean): Promise<void> {
    const { cluster } = this;
    if (isFirst) await cluster.add();
    cluster.nodes.splice(cluster.nodes.indexOf(node), 1);
    await node.worker[how]();
    await node.worker.close();
    await node.proxy.close();
    if (!isFirst) await cluster.add();
  }
}
