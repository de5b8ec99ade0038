import type { RedisLink } from '../../redis/link/redis-link.js';
import { scanHash } from '../../redis/data/scan-hash.js';
import { readRecord, type ClientRecord } from './client-record.js';
import type { RegistryKeys } from './registry-keys.js';
import { SnapshotStates } from '../presence/snapshot-states.js';
import { readState, type SharedState } from '../presence/shared-state.js';

/** Takes what a snapshot contains. */
export interface SnapshotTaker {
  record(record: ClientRecord): void;
  /** The state of a member. Its client's record may come before it or after it. */
  state(state: SharedState): void;
}

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
   * Gives the clients of a worker's incarnation and their states to `taker`, some of them twice. Fails as `RedisLink.run` does.
   *
   * @returns the `seq` up to which the snapshot is complete; null when the hash does not exist, or was deleted meanwhile
   */
  read(workerId: string, incarnation: number, taker: SnapshotTaker): Promise<number | null> {
    const key = this.keys.clients(workerId, incarnation);
    const reading = this.#turn.then(() => this.#scan(key, taker));
    this.#turn = reading.catch(() => undefined);
    return reading;
  }

  /** The clients of a worker's incarnation with their states. Fails as `RedisLink.run` does. */
  async readAll(workerId: string, incarnation: number): Promise<ClientRecord[]> {
    const records = new Map<string, ClientRecord>();
    const states = new SnapshotStates();
    await this.read(workerId, incarnation, {
      record: (record) => records.set(record.clientId, record),
      state: (state) => states.add(state),
    });
    return Array.from(records.values(), (record) => states.fill(record));
  }

  async #scan(key: string, taker: SnapshotTaker): Promise<number | null> {
    const seq = await this.#seqOf(key);
    if (seq === null) return null;
    for await (const fields of scanHash(this.link, key)) {
      // The field with the empty name holds the `seq`.
      for (const [name, text] of fields) if (name !== '') this.#take(name, text, taker);
    }
    return (await this.#seqOf(key)) === null ? null : seq;
  }

  #take(name: string, text: string, taker: SnapshotTaker): void {
    const state = readState(name, text);
    const record = state ? null : readRecord(text);
    if (state) taker.state(state);
    else if (record) taker.record(record);
  }

  async #seqOf(key: string): Promise<number | null> {
    const seq = await this.link.run((redis) => redis.hget(key, ''));
    return seq === null ? null : Number(seq);
  }
}
