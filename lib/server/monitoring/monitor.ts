import { Injectable } from '@nestjs/common';
import { RefusalCounters, type WsLimitName } from '../../limits/refusal-counters.js';
import { Metrics, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import { Health, type WebSocketHealth } from './health.js';

/** What this worker can say of itself; waits for nothing. */
@Injectable()
export class Monitor {
  constructor(
    private readonly workerHealth: Health,
    private readonly workerMetrics: Metrics,
    private readonly refusalCounters: RefusalCounters,
  ) {}

  health(): WebSocketHealth {
    return this.workerHealth.read();
  }

  metrics(): WebSocketMetric[] {
    return this.workerMetrics.read();
  }

  /** How often each limit has refused something since the start of the process; those that never have are not listed. */
  refusals(): Partial<Record<WsLimitName, number>> {
    return this.refusalCounters.snapshot();
  }
}
