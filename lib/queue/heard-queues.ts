import { isCluster } from '../redis/link/redis-client.js';
import type { WsRedisClient } from '../options/redis.options.js';

/** The queues whose events an application has asked for. Each must be heard once, or each job's end would be published twice. */
export class HeardQueues {
  readonly #heard = new Map<unknown, Set<string>>();

  /**
   * Notes a queue.
   *
   * @param template a client with the connection options of the queue's Redis
   * @returns false when it was noted before
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

/** Identifies the Redis behind a client: by its options; a cluster by the client object itself. */
function placeOf(template: WsRedisClient | null): unknown {
  if (!template || isCluster(template)) return template;
  const { host, port, path, db, sentinels, name } = template.options;
  return JSON.stringify([host, port, path, db, sentinels, name]);
}
