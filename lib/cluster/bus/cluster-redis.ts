import { ModuleLogger } from '../../errors/module-logger.js';
import type { ResolvedRedis } from '../../options/redis.options.js';
import type { ResolvedOptions } from '../../pxl-websocket.options.js';
import { RedisLink } from '../../redis/link/redis-link.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { WorkerIdentity } from '../../runtime/worker-identity.js';
import { ClusterChannels } from './cluster-channels.js';
import { IGNIS_CHANNELS, IgnisWire } from './ignis-wire.js';

/** The token of the module's {@link ClusterRedis}; null without Redis. */
export const CLUSTER_REDIS = Symbol('PXL_WS_CLUSTER_REDIS');

type MessageListener = (payload: Buffer) => void;

/** This worker's link to Redis, and the listeners of its channels. */
export class ClusterRedis {
  readonly link: RedisLink;
  readonly channels: ClusterChannels;
  /** Null without the option `cluster.ignis`. */
  readonly ignis: IgnisWire | null;
  readonly #listeners = new Map<string, MessageListener>();
  #fallback: MessageListener | null = null;

  constructor(redis: ResolvedRedis, { prefix, cluster }: ResolvedOptions, identity: WorkerIdentity, runtime: Runtime) {
    const logger = new ModuleLogger();
    this.channels = new ClusterChannels(prefix, redis.isSharded);
    this.link = new RedisLink(
      {
        redis,
        prefix,
        name: identity.workerId,
        probe: cluster.probe,
        secrets: cluster.secrets,
        report: (level, what) => logger[level](what),
        onMessage: (channel, payload) => {
          if (cluster.ignis && channel.startsWith(IGNIS_CHANNELS)) this.ignis?.take(payload);
          else (this.#listeners.get(channel) ?? this.#fallback)?.(payload);
        },
      },
      runtime,
    );
    const { workerId } = identity;
    this.ignis = cluster.ignis ? new IgnisWire(prefix, workerId, this.link.subscriptions) : null;
  }

  /** Sets the listener of one channel. */
  listen(channel: string, listener: MessageListener): void {
    this.#listeners.set(channel, listener);
  }

  /** Sets the listener of all channels without a listener of their own. */
  listenToOthers(listener: MessageListener): void {
    this.#fallback = listener;
  }
}
