import type { RedisLink } from '../../redis/link/redis-link.js';
import { scanHash } from '../../redis/data/scan-hash.js';
import { readRecord, type ClientRecord } from './client-record.js';
import type { RegistryKeys } from './registry-keys.js';

/**
 * Reads the clients of other workers, page by page: tens of thousands in one command would hold up Redis, this worker and
 * the deadline of the call. So what is read is not of one moment; but it holds all that had happened up to a `seq`, and
 * to tell again what happened later does no harm. One worker is read at a time, for the sake of our own clients.
 */
export class RecordReader {
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly link: RedisLink,
    private readonly keys: RegistryKeys,
  ) {}

  /**
   * Calls `found` for each client of a worker's incarnation, for some of them twice. Fails as `RedisLink.run` does.
   *
   * @returns the `seq` up to which everything has been told; null when the hash is not there, or was deleted meanwhile
   */
  read(workerId: string, incarnation: number, found: (record: ClientRecord) => void): Promise<number | null> {
    const key = this.keys.clients(workerId, incarnation);
    const reading = this.#turn.then(() => this.#scan(key, found));
    this.#turn = reading.catch(() => undefined);
    return reading;
  }

  async #scan(key: string, found: (record: ClientRecord) => void): Promise<number | null> {
    const seq = await this.#seqOf(key);
    if (seq === null) return null;
    for await (const fields of scanHash(this.link, key)) {
      for (const [clientId, text] of fields) {
        // Under the empty name there is the `seq`.
        const record = clientId === '' ? null : readRecord(text);
        if (record) found(record);
      }
    }
    return (await this.#seqOf(key)) === null ? null : seq;
  }

  async #seqOf(key: string): Promise<number | null> {
    const seq = await this.link.run((redis) => redis.hget(key, ''));
    return seq === null ? null : Number(seq);
  }
}
