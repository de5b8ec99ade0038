import { ModuleLogger } from '../../errors/module-logger.js';
import type { ResolvedRedis } from '../../options/redis.options.js';
import type { ResolvedOptions } from '../../pxl-websocket.options.js';
import { RedisLink } from '../../redis/link/redis-link.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { WorkerIdentity } from '../../runtime/worker-identity.js';
import { ClusterChannels } from './cluster-channels.js';
import { IGNIS_CHANNELS, IgnisWire } from './ignis-wire.js';

/** The token of the {@link ClusterRedis} of the module; null: it has no Redis. */
export const CLUSTER_REDIS = Symbol('PXL_WS_CLUSTER_REDIS');

type MessageListener = (payload: Buffer) => void;

/** This worker's connection to Redis, and who hears which of its channels. */
export class ClusterRedis {
  readonly link: RedisLink;
  readonly channels: ClusterChannels;
  /** Null: the channels of Ignis are nobody's concern. */
  readonly ignis: IgnisWire | null;
  readonly #listeners = new Map<string, MessageListener>();
  #other: MessageListener | null = null;

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
          else (this.#listeners.get(channel) ?? this.#other)?.(payload);
        },
      },
      runtime,
    );
    const { workerId } = identity;
    this.ignis = cluster.ignis ? new IgnisWire(prefix, workerId, this.link.subscriptions) : null;
  }

  /** Hears one channel. */
  listen(channel: string, listener: MessageListener): void {
    this.#listeners.set(channel, listener);
  }

  /** Hears every channel that nobody else does. */
  listenToOthers(listener: MessageListener): void {
    this.#other = listener;
  }
}
