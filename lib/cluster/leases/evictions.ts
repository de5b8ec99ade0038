import { isCluster } from '../../redis/link/redis-client.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

const WHAT = 'evictions';
/** For so many leases after the last loss it counts as going on. */
const LASTS = 3;

/**
 * Tells that Redis evicts what the registry keeps in it, where `maxmemory` is reached and the policy takes any key. It is
 * written again each time, and what it holds is not to be relied on meanwhile.
 */
export class Evictions {
  /** How many keys Redis had evicted when we looked last; null: we have not. */
  #evicted: number | null = null;
  #timer: RuntimeTimer | null = null;

  /** @param lease ms */
  constructor(
    private readonly link: RedisLink,
    private readonly lease: number,
    private readonly runtime: Runtime,
  ) {}

  /** What is evicted from now on may be ours. */
  async begin(): Promise<void> {
    const info = await this.#read();
    if (info) this.#evicted = info.evicted;
  }

  /** Something of ours is gone, without our doing: it was evicted, or Redis has lost its data. */
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

  /** Null: it cannot be read now, or not at all. */
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
