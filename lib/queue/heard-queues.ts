import { isCluster } from '../redis/link/redis-client.js';
import type { WsRedisClient } from '../options/redis.options.js';

/** The queues that an application hears already: each one once, or each end of a job would be told twice. */
export class HeardQueues {
  readonly #heard = new Map<unknown, Set<string>>();

  /**
   * Takes note of a queue.
   *
   * @param template knows how to connect to the queue's Redis
   * @returns whether it is the first time
   */
  add(template: WsRedisClient | null, prefix: string, queue: string): boolean {
    const place = placeOf(template);
    const queues = this.#heard.get(place) ?? new Set<string>();
    this.#heard.set(place, queues);
    const key = JSON.stringify([prefix, queue]);
    const isFirst = !queues.has(key);
    queues.add(key);
    return isFirst;
  }
}

/** Where a connection leads, as far as its options tell; a cluster is the object that knows its nodes. */
function placeOf(template: WsRedisClient | null): unknown {
  if (!template || isCluster(template)) return template;
  const { host, port, path, db, sentinels, name } = template.options;
  return JSON.stringify([host, port, path, db, sentinels, name]);
}
