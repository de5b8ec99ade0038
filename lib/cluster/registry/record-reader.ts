import type { RedisLink } from '../../redis/link/redis-link.js';
import { scanHash } from '../../redis/data/scan-hash.js';
import { readRecord, type ClientRecord } from './client-record.js';
import type { RegistryKeys } from './registry-keys.js';

/**
 * Reads the clients of other workers page by page: tens of thousands in one command would block Redis and this process, and
 * miss the deadline of the call. So a snapshot is not of one moment. It contains everything up to a `seq`, and some later
 * changes, which do no harm when they are applied again. One worker is read at a time, so that this worker's own clients are
 * not held up.
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
   * @returns the `seq` up to which the snapshot is complete; null when the hash does not exist, or was deleted meanwhile
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
        // The field with the empty name holds the `seq`.
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
