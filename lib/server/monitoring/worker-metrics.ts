import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { ClientMirror } from '../../clients/client-mirror.js';
import { PXL_WS_BROADCASTER, type WsBroadcaster } from '../../cluster/bus/broadcaster.interface.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from '../../cluster/registry/cluster-registry.interface.js';
import { RefusalCounters } from '../../limits/refusal-counters.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { counter, gauge, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import { Traffic } from '../../runtime/traffic.js';
import { SlowConsumers } from '../../transport/outbox/slow-consumers.js';

/** The numbers that every worker has, with a cluster or without. */
@Injectable()
export class WorkerMetrics implements MetricSource {
  constructor(
    private readonly clients: ClientRegistry,
    private readonly mirror: ClientMirror,
    private readonly rooms: RoomRegistry,
    private readonly traffic: Traffic,
    private readonly refusals: RefusalCounters,
    private readonly slowConsumers: SlowConsumers,
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: WsBroadcaster,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
  ) {}

  *metrics(): Iterable<WebSocketMetric> {
    yield gauge('connections', this.clients.size);
    yield gauge('users', this.clients.userCount);
    yield gauge('remote_connections', this.mirror.size);
    yield gauge('rooms', this.rooms.rooms.size);
    yield counter('connects', this.traffic.connects.total);
    yield counter('disconnects', this.traffic.disconnects.total);
    yield counter('messages_received', this.traffic.messages.total);
    for (const [code, count] of this.traffic.errors) yield counter('errors', count, { code });
    yield* this.#queues();
    yield gauge('slow_consumers', this.slowConsumers.size);
    const { disconnected, dropped, droppedOldest } = this.slowConsumers.counts;
    yield counter('slow_consumers_disconnected', disconnected);
    yield counter('frames_dropped', dropped + droppedOldest);
    for (const [limit, refusals] of Object.entries(this.refusals.snapshot())) {
      yield counter('refusals', refusals, { limit });
    }
    yield gauge('cluster_workers', this.registry.workers.size + 1);
    yield gauge('bus_ready', this.broadcaster.isReady ? 1 : 0);
    const { probeMs } = this.broadcaster.health;
    if (probeMs !== null) yield gauge('bus_probe_seconds', probeMs / 1_000);
  }

  *#queues(): Iterable<WebSocketMetric> {
    let [messages, bytes] = [0, 0];
    for (const client of this.clients.values()) {
      messages += client.waitingMessages;
      bytes += client.bufferedAmount;
    }
    yield gauge('messages_waiting', messages);
    yield gauge('outbox_bytes', bytes);
  }
}
