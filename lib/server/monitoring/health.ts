import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { WsBusHealth } from '../../cluster/bus/broadcaster.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { Traffic } from '../../runtime/traffic.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import { SlowConsumers, type WsSlowConsumerCounts } from '../../transport/outbox/slow-consumers.js';
import { ClusterStatus } from '../availability/cluster-status.js';
import { Intake, type WsWorkerPhase } from '../availability/intake.js';

/** How this worker is. */
export interface WebSocketHealth {
  /**
   * `degraded`: the other workers cannot be reached, or Redis refuses or evicts what they keep there; then `ready` may be
   * true, and `redis.lastError` says what is the matter. `unhealthy`: it takes no connections (starting, stopping, off).
   */
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** Whether it should get new connections: not during `shutdown.delay` either, when it takes those that come. */
  readonly ready: boolean;
  /** Where the worker is in its life. */
  readonly phase: WsWorkerPhase;
  /** Why it is not ready, or degraded, as a sentence for people; null where nothing is the matter. */
  readonly reason: string | null;
  readonly workerId: string;
  /** Connections of this worker. */
  readonly activeConnections: number;
  /** Rooms that have members. */
  readonly rooms: number;
  /** Messages from clients; like the other rates averaged over the last ten seconds. */
  readonly messagesPerSecond: number;
  readonly connectsPerSecond: number;
  readonly disconnectsPerSecond: number;
  /** Clients that read too slowly: how many are over their budget now, and what the policies have done so far. */
  readonly slowConsumers: WsSlowConsumerCounts & { readonly now: number };
  /** What all workers together hold, as far as this one knows. */
  readonly cluster: { readonly workers: number; readonly connections: number };
  /** The bus; never connected in an application of one process. */
  readonly redis: WsBusHealth;
}

/** Reads this worker's numbers; waits for nothing. */
@Injectable()
export class Health {
  constructor(
    private readonly clients: ClientRegistry,
    private readonly rooms: RoomRegistry,
    private readonly traffic: Traffic,
    private readonly intake: Intake,
    private readonly slowConsumers: SlowConsumers,
    private readonly identity: WorkerIdentity,
    private readonly cluster: ClusterStatus,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  read(): WebSocketHealth {
    const { isOpen, phase } = this.intake;
    const { isReady, bus } = this.cluster;
    const connections = this.clients.size;
    return {
      status: !isOpen ? 'unhealthy' : isReady && !bus.isLimited ? 'healthy' : 'degraded',
      ready: phase === 'serving' && isReady,
      phase,
      reason: this.#reason(phase),
      workerId: this.identity.workerId,
      activeConnections: connections,
      rooms: this.rooms.rooms.size,
      messagesPerSecond: this.traffic.messages.perSecond,
      connectsPerSecond: this.traffic.connects.perSecond,
      disconnectsPerSecond: this.traffic.disconnects.perSecond,
      slowConsumers: { now: this.slowConsumers.size, ...this.slowConsumers.counts },
      cluster: this.cluster.totals(connections),
      redis: bus,
    };
  }

  #reason(phase: WsWorkerPhase): string | null {
    if (!this.options.enabled) return 'The module is switched off.';
    if (phase === 'draining') return 'The worker ends: new connections should go elsewhere.';
    return this.cluster.problem ?? (phase === 'starting' ? 'The application starts.' : null);
  }
}
