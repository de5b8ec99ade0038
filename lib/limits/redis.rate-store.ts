import { encodeName } from '../redis/data/encode-name.js';
import type { RedisLink } from '../redis/link/redis-link.js';
import { RedisScript } from '../redis/data/redis-script.js';
import { counter, type MetricSource, type WebSocketMetric } from '../runtime/metrics/metrics.js';
import type { MemoryRateStore } from './memory.rate-store.js';
import type { WsRate, RateStore } from './rate-store.interface.js';

/** What the log says that Redis has refused. */
const WHAT = 'to count uses of routes';

/**
 * Counts one use within a window that begins with its first use, by Redis' own clock. A key without an expiry is overwritten.
 *
 * KEYS: the window. ARGV: limit, ms of a window. Returns 0, or the ms until the window is over when it is full.
 */
const USE = new RedisScript(`
local left = redis.call('PTTL', KEYS[1])
local uses = left > 0 and tonumber(redis.call('GET', KEYS[1])) or 0
if uses >= tonumber(ARGV[1]) then return left end
if uses == 0 then redis.call('SET', KEYS[1], 1, 'PX', ARGV[2]) else redis.call('INCR', KEYS[1]) end
return 0`);

/**
 * Keeps windows that all workers share, with one call of Redis for each use, and none once a window is known to be full.
 * While Redis is down each worker counts alone, and goes on from the uses that it has allowed before.
 */
export class RedisRateStore implements RateStore, MetricSource {
  readonly #keys: string;
  #alone = 0;

  /** @param memory counts the uses of this worker */
  constructor(
    private readonly link: RedisLink,
    prefix: string,
    private readonly memory: MemoryRateStore,
  ) {
    this.#keys = `${prefix}:rate:`;
  }

  use(key: string, rate: WsRate): number | Promise<number> {
    const left = this.memory.leftOfFull(key);
    if (left > 0) return left;
    return this.link.isReady ? this.#ask(key, rate) : this.#useAlone(key, rate);
  }

  *metrics(): Iterable<WebSocketMetric> {
    // Uses that this worker has counted alone because Redis was down.
    yield counter('rate_uses_alone', this.#alone);
  }

  async #ask(key: string, rate: WsRate): Promise<number> {
    const name = this.#keys + encodeName(key);
    let left: number;
    try {
      left = Number(await this.link.run((redis) => USE.run(redis, [name], [rate.limit, rate.ttl])));
      this.link.outcome(WHAT);
    } catch (error) {
      this.link.outcome(WHAT, error);
      return this.#useAlone(key, rate);
    }
    if (left > 0) this.memory.fill(key, left);
    else this.memory.use(key, rate);
    return left;
  }

  #useAlone(key: string, rate: WsRate): number {
    this.#alone++;
    return this.memory.use(key, rate);
  }
}
