import { Inject, Injectable } from '@nestjs/common';
import type { WsBusHealth } from '../../cluster/bus/broadcaster.interface.js';
import { isClustered, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { OwnServers } from '../../transport/upgrade/own-servers.js';
import type { WsWorkerPhase } from '../availability/intake.js';
import { Health, type WebSocketHealth } from './health.js';

/** What an indicator tells beside `up` and `down`. */
export interface WsHealthDetails {
  /** Why it is down, or the worker degraded, as a sentence for people. */
  readonly reason?: string;
  /** `getWebSocketHealth().status`. */
  readonly health: WebSocketHealth['status'];
  /** `draining` from the begin of `shutdown.delay` on: then `connections` are those that are still to be ended. */
  readonly phase: WsWorkerPhase;
  readonly workerId: string;
  /** Of this worker. */
  readonly connections: number;
  /** How many workers there are, as far as this one knows. */
  readonly workers: number;
  /** The connection to the bus; absent in an application of one process. */
  readonly redis?: WsBusHealth;
}

/** The result that `HealthCheckService.check` of @nestjs/terminus 11 and 12 takes. */
export type WsHealthResult = Record<string, { status: 'up' | 'down' } & WsHealthDetails>;

/**
 * An indicator for @nestjs/terminus, which this package does not need. The module provides it: inject it where the checks
 * are. Neither method waits for anything, rejects, or throws.
 *
 * @example
 * ```ts
 * return this.health.check([() => this.sockets.isReady('sockets')]);
 * ```
 */
@Injectable()
export class PxlWebSocketHealthIndicator {
  constructor(
    private readonly health: Health,
    private readonly servers: OwnServers,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * For the liveness probe, whose failure has the process killed. It is up while a restart would help nobody: also at the
   * start, while the worker drains, and while Redis is away. Down: nothing listens any more on the port of a gateway.
   *
   * @param key the indicator's name in the answer
   */
  isLive(key: string): WsHealthResult {
    const health = this.health.read();
    const isDeaf = health.phase === 'serving' && !this.servers.areListening;
    return isDeaf
      ? this.#result(key, 'down', { ...health, reason: 'Nothing listens any more on the port of a gateway.' })
      : this.#result(key, 'up', health);
  }

  /**
   * For readiness and startup probes, and for load balancers: up while the worker should get new connections. Down at the
   * start, from `shutdown.delay` on, and while the other workers cannot be reached.
   *
   * @param key the indicator's name in the answer
   */
  isReady(key: string): WsHealthResult {
    const health = this.health.read();
    return this.#result(key, health.ready ? 'up' : 'down', health);
  }

  #result(key: string, status: 'up' | 'down', health: WebSocketHealth): WsHealthResult {
    const { reason, phase, workerId, activeConnections, cluster, redis } = health;
    const result = {
      status,
      ...(reason !== null && { reason }),
      health: health.status,
      phase,
      workerId,
      connections: activeConnections,
      workers: cluster.workers,
      ...(isClustered(this.options) && { redis }),
    };
    return { [key]: result };
  }
}
