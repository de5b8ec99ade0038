import { isCluster } from '../../redis/link/redis-client.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** Names the trouble in the link's state. */
const WHAT = 'evictions';
/** Leases after the last eviction until the trouble counts as over. */
const LASTS = 3;

/**
 * Reports that Redis evicts keys of the registry, because `maxmemory` is reached and the policy allows it. The registry
 * writes them again each time, but meanwhile its data in Redis is incomplete.
 */
export class Evictions {
  /** Redis' count of evicted keys at the last look; null before the first look. */
  #evicted: number | null = null;
  #timer: RuntimeTimer | null = null;

  /** @param lease ms */
  constructor(
    private readonly link: RedisLink,
    private readonly lease: number,
    private readonly runtime: Runtime,
  ) {}

  /** Reads the count of evicted keys as it was before this worker wrote anything. */
  async begin(): Promise<void> {
    const info = await this.#read();
    if (info) this.#evicted = info.evicted;
  }

  /** A key of this worker has vanished: reports it if Redis has evicted keys since the last look. */
  async look(): Promise<void> {
    const info = await this.#read();
    if (!info) return;
    const hasEvicted = info.evicted > (this.#evicted ?? 0);
    this.#evicted = info.evicted;
    if (!hasEvicted) return;
    const remedy = 'Give it more memory, the policy noeviction, or a Redis of its own.';
    this.link.troubled(WHAT, `Redis evicts keys of the registry (maxmemory-policy ${info.policy}). ${remedy}`);
    this.#timer?.cancel();
    this.#timer = this.runtime.timeout(LASTS * this.lease, () => this.link.settled(WHAT));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Null when INFO fails or is not allowed. */
  async #read(): Promise<{ evicted: number; policy: string } | null> {
    try {
      const texts = await this.link.run((redis) =>
        Promise.all((isCluster(redis) ? redis.nodes('master') : [redis]).map((node) => node.info())),
      );
      const evicted = texts.map((text) => Number(/^evicted_keys:(\d+)/m.exec(text)?.[1] ?? 0));
      const policy = /^maxmemory_policy:(\S+)/m.exec(texts.join('\n'))?.[1] ?? 'unknown';
      return { evicted: evicted.reduce((sum, one) => sum + one, 0), policy };
    } catch {
      return null;
    }
  }
}
