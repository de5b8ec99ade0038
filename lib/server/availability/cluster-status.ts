import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_BROADCASTER, type WsBroadcaster, type WsBusHealth } from '../../cluster/bus/broadcaster.interface.js';
import { CLUSTER_REDIS, type ClusterRedis } from '../../cluster/bus/cluster-redis.js';
import { PeerCheck } from '../../cluster/calls/peer-check.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from '../../cluster/registry/cluster-registry.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';

/** How many silent workers a sentence names. */
const NAMED = 5;

/** What this worker knows of the cluster at this moment. */
@Injectable()
export class ClusterStatus {
  constructor(
    private readonly peers: PeerCheck,
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: WsBroadcaster,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    @Inject(CLUSTER_REDIS) private readonly redis: ClusterRedis | null,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Whether the other workers can be reached, are known, and hear this one as it hears them; with `cluster.ignis`, Ignis too. */
  get isReady(): boolean {
    return this.broadcaster.isReady && this.registry.isReady && this.peers.isPassed && this.#hearsIgnis;
  }

  /** What is the matter, as a sentence; null: nothing. */
  get problem(): string | null {
    const { isLimited, lastError } = this.bus;
    const why = lastError === null ? '.' : `: ${lastError}`;
    if (!this.broadcaster.isReady) return `${this.options.redis ? 'Redis' : 'The bus'} cannot be reached${why}`;
    // Redis may take none of what this worker writes.
    if (!this.registry.isReady) return `The other workers are not known yet${isLimited ? why : '.'}`;
    if (!this.peers.isPassed) return `Not all other workers have answered (${this.#silent}).`;
    if (!this.#hearsIgnis) return 'The servers of Ignis are not heard yet.';
    return isLimited ? `Redis refuses or loses what this worker needs${why}` : null;
  }

  /** Whether other workers go on when this one stops. A bus of the application's own has no registry: there may be others. */
  get othersGoOn(): boolean {
    const { redis, broadcaster } = this.options;
    return redis ? this.registry.mayHaveOthers : broadcaster !== undefined;
  }

  /** How the connection to the bus is. */
  get bus(): WsBusHealth {
    return this.broadcaster.health;
  }

  get #silent(): string {
    return this.peers.silent.slice(0, NAMED).join(', ') || 'they are asked';
  }

  get #hearsIgnis(): boolean {
    return this.redis?.ignis?.isHeard ?? true;
  }

  /**
   * What all workers together hold, as far as this one knows.
   *
   * @param ownConnections this worker's
   */
  totals(ownConnections: number): { workers: number; connections: number } {
    const others = [...this.registry.workers.values()];
    const connections = others.reduce((sum, worker) => sum + worker.connections, ownConnections);
    return { workers: others.length + 1, connections };
  }
}
