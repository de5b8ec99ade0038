import { Inject, Injectable } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';
import { ClusterEvents } from '../cluster/events/cluster-events.js';
import { CLUSTER_REDIS, type ClusterRedis } from '../cluster/bus/cluster-redis.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { SubscriberRegistry } from '../subscribers/subscriber.registry.js';
import { HeardQueues } from './heard-queues.js';

/** What `WebSocketQueueEvents` needs of the module. Exported by the module, since its providers stand in the application's modules. */
@Injectable()
export class QueueSurroundings {
  readonly prefix: string;
  readonly isEnabled: boolean;
  readonly heard = new HeardQueues();

  constructor(
    readonly cluster: ClusterEvents,
    readonly errors: ErrorReporter,
    readonly runtime: Runtime,
    readonly subscribers: SubscriberRegistry,
    /** The Redis where events are claimed; null: there are no other workers. */
    @Inject(CLUSTER_REDIS) readonly redis: ClusterRedis | null,
    /** The client that is duplicated for a queue without the option `redis`. */
    @Inject(PXL_WS_REDIS) readonly template: Redis | Cluster | null,
    @Inject(PXL_WS_OPTIONS) { prefix, enabled }: ResolvedOptions,
  ) {
    this.prefix = prefix;
    this.isEnabled = enabled;
  }
}
