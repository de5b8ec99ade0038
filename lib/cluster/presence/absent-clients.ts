import type { AbsentClient } from '../../presence/presence-entry.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { RedisScript } from '../../redis/data/redis-script.js';
import { scanHash } from '../../redis/data/scan-hash.js';
import { chunksOf } from '../../runtime/chunks.js';
import { endOfAbsence, readAbsent } from './absent-record.js';
import type { RegistryKeys } from '../registry/registry-keys.js';

/** Clients per command. */
const PORTION = 500;
/** How many clients wait for Redis at most; those of the longest ago are dropped. */
const MAX_WAITING = 10_000;
/** ms for which the hash outlives its last client: whoever reads it judges by its own look at Redis' clock. */
const MARGIN = 60_000;
/** ms between two looks for clients that nobody has removed: their worker has died. */
const SWEEP = 60_000;

/**
 * Adds and removes clients. The hash lives as long as the one that stays longest.
 *
 * KEYS: the hash. ARGV: ms to live (0: as before), the number of clients to remove, their ids, then id and text of each client to add.
 */
const KEEP = new RedisScript(`
local at = 3 + tonumber(ARGV[2])
if at > 3 then redis.call('HDEL', KEYS[1], unpack(ARGV, 3, at - 1)) end
if at <= #ARGV then redis.call('HSET', KEYS[1], unpack(ARGV, at)) end
local life = tonumber(ARGV[1])
if life > 0 and redis.call('PTTL', KEYS[1]) < life then redis.call('PEXPIRE', KEYS[1], life) end
return 1`);

/**
 * The clients of all workers that are gone and stay in rooms with presence for their grace. Running workers hear of them by
 * hints; in Redis they are kept for workers that start. What is noted here is written by {@link flush}, which comes before
 * the client's record is removed. Methods that return a promise fail as `RedisLink.run` does.
 */
export class AbsentClients {
  /** What is to be written, by client id; null: the client is to be removed. */
  readonly #waiting = new Map<string, AbsentClient | null>();
  #sweptAt = 0;

  constructor(
    private readonly link: RedisLink,
    private readonly keys: RegistryKeys,
  ) {}

  keep(client: AbsentClient): void {
    this.#note(client.clientId, client);
  }

  forget(clientId: string): void {
    this.#note(clientId, null);
  }

  /** Writes what was noted. */
  async flush(): Promise<void> {
    while (this.#waiting.size > 0) {
      const portion = [...this.#waiting].slice(0, PORTION);
      for (const [clientId] of portion) this.#waiting.delete(clientId);
      try {
        await this.#write(portion);
      } catch (error) {
        for (const [clientId, client] of portion) {
          if (!this.#waiting.has(clientId)) this.#waiting.set(clientId, client);
        }
        throw error;
      }
    }
  }

  /** Writes the clients of a dead worker. */
  async write(clients: Iterable<AbsentClient>): Promise<void> {
    for (const some of chunksOf(clients, PORTION)) {
      await this.#write(some.map((client) => [client.clientId, client]));
    }
  }

  /** Calls `found` for each client that still stays, for some of them twice, and removes the others. */
  async read(found: (client: AbsentClient) => void): Promise<void> {
    const now = this.link.redisNow();
    this.#sweptAt = now;
    for await (const fields of scanHash(this.link, this.keys.absent)) {
      const over: string[] = [];
      for (const [name, text] of fields) {
        const client = readAbsent(text);
        if (client && endOfAbsence(client) > now) found(client);
        else over.push(name);
      }
      for (const some of chunksOf(over, PORTION)) await this.link.run((redis) => redis.hdel(this.keys.absent, ...some));
    }
  }

  #note(clientId: string, client: AbsentClient | null): void {
    this.#waiting.delete(clientId);
    this.#waiting.set(clientId, client);
    if (this.#waiting.size <= MAX_WAITING) return;
    for (const first of this.#waiting.keys()) {
      this.#waiting.delete(first);
      return;
    }
  }

  async #write(portion: readonly (readonly [clientId: string, client: AbsentClient | null])[]): Promise<void> {
    const now = this.link.redisNow();
    const gone: string[] = [];
    const fields: string[] = [];
    let end = 0;
    for (const [clientId, client] of portion) {
      const until = client ? endOfAbsence(client) : 0;
      if (until <= now) gone.push(clientId);
      else fields.push(clientId, JSON.stringify(client));
      end = Math.max(end, until);
    }
    const life = end > now ? Math.ceil(end - now) + MARGIN : 0;
    await this.link.run((redis) => KEEP.run(redis, [this.keys.absent], [life, gone.length, ...gone, ...fields]));
    // As long as somebody writes, the hash does not expire.
    if (now - this.#sweptAt > SWEEP) await this.read(() => {});
  }
}
