import type { RedisLink } from '../link/redis-link.js';

/** About how many fields are read at a time. */
const PAGE = 500;

/**
 * The fields of a hash with their values, page by page, so that neither Redis nor this process is held up. What is there
 * all the time is found, some of it twice; what comes or goes meanwhile may be. Fails as `RedisLink.run` does.
 */
export async function* scanHash(link: RedisLink, key: string): AsyncGenerator<[field: string, value: string][]> {
  let cursor = '0';
  do {
    const at = cursor;
    const [next, flat] = await link.run((redis) => redis.hscan(key, at, 'COUNT', PAGE));
    yield pairsOf(flat);
    cursor = next;
  } while (cursor !== '0');
}

/** What Redis gives as a list of names and values in turn. */
export function pairsOf(flat: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? '', flat[2 * at + 1] ?? '']);
}
