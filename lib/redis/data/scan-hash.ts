import type { RedisLink } from '../link/redis-link.js';

/** About how many fields are read per command. */
const PAGE = 500;

/**
 * Reads the fields of a hash with their values page by page, so that neither Redis nor this process is blocked. Fields that
 * exist all the time are found, some of them twice; fields that come or go meanwhile may be missed. Fails as `RedisLink.run`
 * does.
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

/** Pairs from a flat list of names and values in turn. */
export function pairsOf(flat: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? '', flat[2 * at + 1] ?? '']);
}
